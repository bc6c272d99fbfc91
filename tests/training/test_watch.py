"""Early warnings: labels before the first step, a loss that is not finite with the layer where it began, chance."""

import warnings

import numpy as np
import pytest
from trainees import limited, needs_torch, noisy, ours, samples, sgd, theirs, torch_sgd, weights

from cnnlib import layers, training

both = pytest.mark.parametrize("make, optimizer", [(ours, sgd), pytest.param(theirs, torch_sgd, marks=needs_torch)])


def fit(net, data, optimizer, **settings):
    return training.fit(net, data, **dict(epochs=3, optimizer=optimizer, batch_size=16, device="auto", callback=None)
                        | settings)


@both
@pytest.mark.parametrize("change, words", [
    (lambda y: y + 1, r"y of `train` holds 3 at \[2\] \(16 of 48 are out of range\); the net gives 3 scores, so labels "
     r"go from 0 to 2; labels that begin with 1 want y - 1"),
    (lambda y: np.where(np.arange(48) == 47, -1, y), r"holds -1 at \[47\] \(1 of 48 are out of range\)"),
])
def test_labels_out_of_range(make, optimizer, change, words):
    """All labels are looked at, also the last, before any weight moves."""
    net = make()
    before = weights(net)
    x, y = samples()
    with pytest.raises(ValueError, match=words):
        fit(net, (x, change(y)), optimizer(net))
    np.testing.assert_array_equal(weights(net)["fc.weight"], before["fc.weight"])


def test_labels_of_valid_are_looked_at_too():
    net = ours()
    x, y = samples()
    with pytest.raises(ValueError, match=r"y of `valid` holds 7 at \[0\]"):
        fit(net, (x, y), sgd(net), valid=(x, y * 0 + 7))


def test_ignored_labels_are_in_range():
    net = ours()
    x, y = samples()
    y = np.where(np.arange(48) % 5 == 0, -100, y)
    assert len(fit(net, (x, y), sgd(net))) == 3


def test_labels_of_batches():
    net = ours()
    x, y = samples()
    with pytest.raises(ValueError, match=r"y of `step 1 of train` holds 3 at \[2\]"):
        fit(net, [(x, y + 1)], sgd(net), batch_size=None)


@both
def test_every_batch_of_an_iterable_is_looked_at(make, optimizer):
    """The step before is taken, the wrong one is not; and so are the batches that are measured."""
    x, y = samples()
    batches, nets = [(x, y), (x, np.where(np.arange(48) == 5, 3, y))], [make(), make()]
    with pytest.raises(ValueError, match=r"y of `step 2 of train` holds 3 at \[5\] \(1 of 48 are out of range\)"):
        fit(nets[0], batches, optimizer(nets[0]), batch_size=None)
    fit(nets[1], batches[:1], optimizer(nets[1]), batch_size=None, epochs=1)
    np.testing.assert_array_equal(weights(nets[0])["fc.weight"], weights(nets[1])["fc.weight"])
    with pytest.raises(ValueError, match=r"y of `batch 1 of valid` holds 3 at \[5\]"):
        fit(nets[1], batches[:1], optimizer(nets[1]), valid=batches, batch_size=None)
    with pytest.raises(ValueError, match=r"y of `batch 1 of data` holds 3 at \[5\]"):
        training.evaluate(nets[1], batches, device="auto")


@both
def test_a_rate_that_is_too_large(make, optimizer):
    """The warning names step, rate and layer; the weights are those before the step, the history what there was."""
    net = make()
    with pytest.warns(training.TrainingWarning, match=(
            r"the loss is (nan|inf) at step \d+ \(epoch 1\), with lr 1e\+\d\d: the first layer whose output is not "
            r"finite is '(conv|fc)' \(\w+\).*; try lr=1e\+\d\d")) as caught:
        history = fit(net, samples(), optimizer(net, 1e30), epochs=30, batch_size=4)
    assert caught[0].filename == __file__
    assert history.stopped.startswith("the loss is") and len(history) == 0
    assert 0 < len(history.step_loss) < 12 and np.isfinite(history.step_loss).all()


@both
def test_the_layer_whose_weights_are_not_finite_is_named(make, optimizer):
    net = make()
    state = {name: value + np.nan if name == "fc.bias" else value for name, value in weights(net).items()}
    if make is theirs:
        from cnnlib import torch_layers

        state = torch_layers.tensors(state)
    net.load_state_dict(state)
    with pytest.warns(training.TrainingWarning, match=r"step 1 \(epoch 1\), with lr 0.1: the first layer .* is 'fc' "
                      r"\(Linear\), whose weights are not finite since the update before; try lr=0.01"):
        history = fit(net, samples(), optimizer(net))
    assert history.step_loss == []


def test_a_batch_that_is_not_finite():
    """Arrays are looked at beforehand; what augmentation does is not."""
    net = ours()
    with pytest.warns(training.TrainingWarning, match=r"'conv' \(Conv2d\); the batch itself holds NaN"):
        fit(net, samples(), sgd(net), augment=lambda x, rng: x * np.float32(np.nan))


def test_a_loss_that_overflows_by_itself():
    net = layers.Linear(2, 1)
    x, y = np.ones((4, 2), dtype="float32"), np.full((4, 1), 1e30, dtype="float32")
    with pytest.warns(training.TrainingWarning, match="every layer's output is finite, the loss itself is not"):
        fit(net, (x, y), sgd(net), loss=layers.MSELoss())


@both
@pytest.mark.parametrize("split_batches", ["auto", True])
def test_running_statistics_are_put_back(make, optimizer, split_batches):
    """One batch with NaN: the net is that before its step, running mean and variance too."""
    net, kept = make(noisy), []

    def spoilt(x, rng):
        kept.append(weights(net))
        return x * np.float32(np.nan) if len(kept) == 3 else x

    with pytest.warns(training.TrainingWarning, match=r"the loss is nan at step 3"):
        fit(net, samples(), optimizer(net), augment=spoilt, split_batches=split_batches)
    assert (kept[2]["norm.running_mean"] != kept[0]["norm.running_mean"]).any()
    for name, value in kept[2].items():
        np.testing.assert_array_equal(weights(net)[name], value, err_msg=name)


@both
def test_statistics_of_an_attempt_that_failed_are_forgotten(make, optimizer):
    """Memory runs out once: running statistics move as they do where one knew from the start."""
    nets = [make(noisy), make(noisy)]
    for net, pieces in zip(nets, (1, 2)):
        x, y = samples(16)
        limited(net, 8)
        batches = [(x[:8], y[:8]), (x[8:], y[8:])] if pieces == 2 else [(x, y)]
        fit(net, batches, optimizer(net, 0.0), epochs=1, batch_size=None, split_batches=True)
    for name in ("norm.running_mean", "norm.running_var", "norm.num_batches_tracked"):
        np.testing.assert_allclose(weights(nets[0])[name], weights(nets[1])[name], rtol=1e-5)  # sums in another order


@both
@pytest.mark.parametrize("kind", ["numpy", "torch-cpu"])
def test_the_search_needs_no_more_memory_than_the_step(make, optimizer, kind):
    """A batch fits only in parts, and then a loss is not finite: the layer is found in parts too."""
    net = limited(make(), 8, kind)
    with pytest.warns(training.TrainingWarning, match=r"at step 1 .* output is not finite is 'conv' \(Conv2d\)"):
        history = fit(net, samples(), optimizer(net), augment=lambda x, rng: x * np.float32(np.nan))
    assert history.stopped.startswith("the loss is nan at step 1")


@both
def test_nothing_is_left_of_the_search(make, optimizer):
    """The layers that told where it began run as before."""
    net = make()
    with pytest.warns(training.TrainingWarning):
        fit(net, samples(), optimizer(net), augment=lambda x, rng: x * np.float32(np.nan))
    assert not any("forward" in vars(layer) for layer in net.modules())
    assert make is ours or not any(layer._forward_hooks for layer in net.modules())


def test_chance():
    """Pictures without labels' trace: said once, after the first epoch of 20 steps or more."""
    x, y = samples(96)
    net = ours()
    with pytest.warns(training.TrainingWarning, match=(
            r"after epoch 4 the accuracy on `train` is \d+\.\d %: chance, since always naming class 0 gives 33\.3 %")
                      ) as caught:
        fit(net, (x * 0, y), sgd(net), epochs=10)
    assert len(caught) == 1 and caught[0].filename == __file__


def test_chance_on_batches_of_an_iterable():
    """Their labels are counted as they come: those of one epoch."""
    def cut(x, y):
        return [(x[begin:begin + 16], y[begin:begin + 16]) for begin in range(0, 96, 16)]

    x, y = samples(96)
    skew = np.where(np.arange(96) < 48, 1, y)
    words = r"after epoch 4 the accuracy on `train` is 66\.7 %: chance, since always naming class 1 gives 66\.7 %"
    net = ours()
    with pytest.warns(training.TrainingWarning, match=words):
        fit(net, cut(x * 0, skew), sgd(net), batch_size=None, epochs=5)
    words = r"after epoch 4 the accuracy on `valid` is \d+\.\d %: chance, since always naming class 1 gives 66\.7 %"
    with pytest.warns(training.TrainingWarning, match=words):
        fit(net, (x, skew), sgd(net), valid=cut(x * 0, skew), epochs=5)
    net = ours()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        fit(net, cut(x, y), sgd(net), batch_size=None, valid=cut(x, y), epochs=6)


def test_chance_on_what_is_measured():
    """Labels that are learnt well and mean something else in `valid`: there the accuracy counts."""
    x, y = samples(96)
    net = ours()
    with pytest.warns(training.TrainingWarning, match=r"after epoch 4 the accuracy on `valid` is \d\.\d %: chance"):
        history = fit(net, (x, (y + 1) % 3), sgd(net), valid=samples(90, seed=9), epochs=4)
    assert history.train_accuracy[-1] > 0.9


def test_no_false_alarm():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for make in (ours, lambda: ours(noisy)):
            net = make()
            assert fit(net, samples(96), sgd(net), valid=samples(30, seed=4), epochs=6).valid_accuracy[-1] > 0.6
