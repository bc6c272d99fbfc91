"""The loop: it learns, on either engine the same, in an order that the seed decides, and refuses what is wrong."""

import re

import numpy as np
import pytest
from helpers import relative_error
from trainees import (
    assert_same_weights,
    needs_torch,
    noisy,
    ours,
    plain,
    samples,
    sgd,
    theirs,
    torch_sgd,
    weights,
)

from cnnlib import layers, optim, training

QUIET = dict(callback=None)


def fit_ours(net=None, data=None, **settings):
    net = ours() if net is None else net
    settings = dict(epochs=2, batch_size=16) | QUIET | settings
    return net, training.fit(net, samples() if data is None else data, optimizer=sgd(net), **settings)


def test_learns_by_heart():
    net, history = fit_ours(data=samples(8), epochs=40, batch_size=8)
    assert history.train_loss[-1] < 0.05 < history.train_loss[0]
    assert training.evaluate(net, samples(8)).accuracy == 1


def test_one_step_by_hand():
    """Two samples, one weight each way: the mean gradient, the loss before the step, the weights after it."""
    net = layers.Linear(1, 2, bias=False).to("float64")
    net.weight.data[...] = [[1.0], [-1.0]]
    x, y = np.array([[1.0], [2.0]]), np.array([0, 1])
    history = training.fit(net, (x, y), epochs=1, optimizer=optim.SGD(net.parameters(), lr=0.5), batch_size=2, **QUIET)
    p = 1 / (1 + np.exp(-2 * x.ravel()))  # of class 0
    expected = [-np.log(p[0]), -np.log(1 - p[1])]
    grad = ((p - [1, 0]) * x.ravel()).mean()
    np.testing.assert_allclose(history.step_loss, [np.mean(expected)], rtol=1e-12)
    np.testing.assert_allclose(net.weight.data, [[1 - 0.5 * grad], [-1 + 0.5 * grad]], rtol=1e-12)
    assert (history.epoch, history.step, history.train_accuracy) == ([1], [1], [0.5])


def test_history():
    train, valid = samples(40), samples(11, seed=5)
    net, history = fit_ours(data=train, valid=valid, epochs=3, schedule=optim.CosineAnnealingLR)
    assert history.epoch == [1, 2, 3] and history.step == [3, 6, 9]  # 16 + 16 + 8 samples
    assert len(history) == 3 and len(history.step_loss) == 9 and history.stopped is None
    sizes = np.array([16, 16, 8])
    losses = np.array(history.step_loss).reshape(3, 3)
    np.testing.assert_allclose(history.train_loss, losses @ sizes / 40, rtol=1e-6)
    lrs = [0.05 * (1 + np.cos(np.pi * t / 9)) for t in (2, 5, 8)]  # of the last step of each epoch
    np.testing.assert_allclose(history.lr, lrs, rtol=1e-12)
    measured = training.evaluate(net, valid)
    assert (history.valid_loss[-1], history.valid_accuracy[-1]) == (measured.loss, measured.accuracy)
    assert history.seconds == sorted(history.seconds) and history.seconds[0] > 0


@pytest.mark.parametrize("module", [ours, pytest.param(theirs, marks=needs_torch)])
def test_the_net_comes_back_in_evaluation_mode(module):
    net = module(noisy)
    optimizer = sgd(net)
    seen = []
    training.fit(net, samples(), samples(5), epochs=2, optimizer=optimizer, batch_size=16,
                 callback=lambda progress: seen.append([layer.training for layer in net.modules()]))
    assert np.all(seen) and len(seen) == 8  # also after the measurement in evaluation mode
    assert not any(layer.training for layer in net.modules())


@needs_torch
@pytest.mark.parametrize("dtype, tolerance", [("float64", 1e-9), ("float32", 1e-5)])
def test_same_losses_as_torch(dtype, tolerance, record_property):
    """50 steps; rounding differs, and what it comes to is reported."""
    data = samples(80, dtype)
    a, b = ours(dtype=dtype), theirs(dtype=dtype)
    settings = dict(epochs=10, batch_size=16, seed=3) | QUIET
    first = training.fit(a, data, optimizer=sgd(a), schedule=optim.CosineAnnealingLR, **settings)
    import torch

    second = training.fit(b, data, optimizer=torch_sgd(b), schedule=torch.optim.lr_scheduler.CosineAnnealingLR,
                          **settings)
    assert len(first.step_loss) == len(second.step_loss) == 50
    error = np.abs(np.array(first.step_loss) - second.step_loss).max()
    record_property(f"losses_{dtype}", float(error))
    print(f"{dtype}: the losses of 50 steps differ by {error:.2g} at most")
    assert error < tolerance
    for name, value in weights(b).items():
        assert relative_error(weights(a)[name], value) < tolerance


@needs_torch
def test_every_pairing_of_engine_and_arrays(array):
    """Our net on NumPy or tensors, torch's net, our optimiser on torch's weights: the same losses."""
    x, y = samples(32, "float64")
    nets = [(ours(dtype="float64"), sgd), (ours(dtype="float64").to("cpu"), sgd), (theirs(dtype="float64"), sgd),
            (theirs(dtype="float64"), torch_sgd)]
    losses = [training.fit(net, (array(x), array(y)), epochs=3, optimizer=optimizer(net), batch_size=16,
                           device="auto" if isinstance(net, layers.Module) else "cpu", **QUIET).step_loss
              for net, optimizer in nets]
    for other in losses[1:]:
        np.testing.assert_allclose(losses[0], other, rtol=1e-9)


def test_order_is_the_seeds():
    """The first epoch's order is the generator's first permutation, the second's its second."""
    x, y = samples(12)
    seen = []
    training.fit(net := ours(), (x, y), epochs=2, optimizer=sgd(net), batch_size=5, seed=7, **QUIET,
                 augment=lambda x, rng: (seen.append(x.copy()), x)[1])
    rng = np.random.default_rng(7)
    expected = np.concatenate([x[rng.permutation(12)], x[rng.permutation(12)]])
    np.testing.assert_array_equal(np.concatenate(seen), expected)
    assert [len(batch) for batch in seen] == [5, 5, 2, 5, 5, 2]


@pytest.mark.parametrize("module, optimizer", [(ours, sgd), pytest.param(theirs, torch_sgd, marks=needs_torch)])
def test_a_seed_repeats_everything(module, optimizer):
    """Order, augmentation and dropout; and another seed changes them."""
    nets = [module(noisy) for _ in range(3)]
    for net, seed in zip(nets, (0, 0, 1)):
        training.fit(net, samples(), epochs=2, optimizer=optimizer(net), batch_size=16, seed=seed, device="auto",
                     augment=lambda x, rng: training.shift(x, 1, rng=rng), **QUIET)
    assert_same_weights(nets[0], nets[1])
    assert (weights(nets[0])["fc.weight"] != weights(nets[2])["fc.weight"]).any()


def test_augmentation_draws_anew_at_each_step():
    draws = []
    fit_ours(augment=lambda x, rng: (draws.append(rng.random()), x)[1])
    assert len(set(draws)) == len(draws) == 6


@needs_torch
def test_torchs_generator_is_left_alone():
    import torch

    net = theirs(noisy)
    torch.manual_seed(5)
    before = torch.get_rng_state()
    training.fit(net, samples(), epochs=1, optimizer=torch_sgd(net), batch_size=16, device="cpu", **QUIET)
    assert torch.equal(before, torch.get_rng_state())


def test_batches_of_an_iterable():
    x, y = samples(32)
    batches = [(x[:20], y[:20]), (x[20:], y[20:])]
    net, history = fit_ours(data=batches, batch_size=None, epochs=3, valid=batches)
    assert history.step == [2, 4, 6]
    assert history.valid_accuracy[-1] == training.evaluate(net, (x, y)).accuracy
    with pytest.raises(ValueError, match=r"`train` is a generator, which gives its batches once, and `epochs` is 3"):
        fit_ours(data=(batch for batch in batches), batch_size=None, epochs=3)
    assert len(fit_ours(data=(batch for batch in batches), batch_size=None, epochs=1)[1].step_loss) == 2


@needs_torch
def test_a_data_loader():
    import torch

    x, y = map(torch.as_tensor, samples(20))
    loader = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(x, y), batch_size=8)
    net = theirs()
    history = training.fit(net, loader, epochs=2, optimizer=torch_sgd(net), device="cpu", **QUIET)
    assert history.step == [3, 6]


def test_targets_that_are_no_classes():
    rng = np.random.default_rng(0)
    x = rng.standard_normal((30, 4))
    target = x @ rng.standard_normal((4, 2))
    net = layers.Linear(4, 2, rng=rng).to("float64")
    history = training.fit(net, (x, target), (x, target), epochs=60, optimizer=sgd(net), batch_size=10,
                           loss=layers.MSELoss(), **QUIET)
    assert history.valid_loss[-1] < 1e-3 and history.train_accuracy == history.valid_accuracy == [None] * 60


def test_a_loss_that_sums():
    """reduction="sum" with a step size divided by the batch's size is the mean."""
    a, b = ours(dtype="float64"), ours(dtype="float64")
    data = samples(32, "float64")
    first = training.fit(a, data, data, epochs=2, optimizer=sgd(a, 0.16), batch_size=16, **QUIET)
    second = training.fit(b, data, data, epochs=2, optimizer=sgd(b, 0.01), batch_size=16,
                          loss=layers.CrossEntropyLoss(reduction="sum"), **QUIET)
    np.testing.assert_allclose(weights(a)["fc.weight"], weights(b)["fc.weight"], rtol=1e-10)
    for name in ("train_loss", "valid_loss"):
        np.testing.assert_allclose(getattr(first, name), getattr(second, name), rtol=1e-10)


def test_progress():
    told = []
    net, history = fit_ours(data=samples(40), epochs=2, callback=told.append)
    assert [(p.epoch, p.step, p.batch, p.epoch_ended) for p in told] == [
        (1, 1, 1, False), (1, 2, 2, False), (1, 3, 3, False), (1, 3, 3, True),
        (2, 4, 1, False), (2, 5, 2, False), (2, 6, 3, False), (2, 6, 3, True)]
    assert {(p.epochs, p.batches, p.lr) for p in told} == {(2, 3, 0.1)}
    assert [p.loss for p in told if not p.epoch_ended] == history.step_loss and told[0].history is history


def test_text_bar(capsys):
    fit_ours(data=samples(40), epochs=10, valid=samples(9), callback=training.text_bar)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 10
    assert re.fullmatch(r"epoch  1/10  train loss \d\.\d{4}  valid loss \d\.\d{4}  valid accuracy \d+\.\d\d %  lr 0\.1"
                        r"  \d+\.\d s", lines[0])


def test_text_bar_on_a_terminal(capsys, monkeypatch):
    import sys

    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
    fit_ours(data=samples(32), epochs=1, callback=training.text_bar)
    out = capsys.readouterr().out
    assert "\repoch 1/1  ████████████············  loss" in out and out.count("\n") == 1


NET = ours()
OTHER = ours()


@pytest.mark.parametrize("change, error, words", [
    (dict(train=(samples()[0], samples()[1][:-1])), ValueError, r"x of shape \(48, 1, 6, 5\) and y of shape \(47,\)"),
    (dict(train=(samples()[0][:0], samples()[1][:0])), ValueError, r"`train` is empty: x has shape \(0, 1, 6, 5\)"),
    (dict(train=samples()[0]), TypeError, r"`train` is a ndarray; it must be \(x, y\)"),
    (dict(train=(np.zeros((4, 1, 6, 5), dtype="uint8"), np.zeros(4, dtype=int))), TypeError, r"dtype uint8.*x / 255"),
    (dict(train=(np.full((4, 1, 6, 5), np.nan), np.zeros(4, dtype=int))), ValueError, r"4 of 4 samples.*sample 0"),
    (dict(train=[(samples()[0],)], batch_size=None), TypeError, r"batch 0 of `train` is a tuple of 1; it must be"),
    (dict(train=[], batch_size=None), ValueError, r"`train` gave no batch"),
    (dict(train=[samples()] * 3), ValueError, r"`batch_size` is 16, and `train` gives batches of its own"),
    (dict(batch_size=None), ValueError, r"`batch_size` is None; with `train` as two arrays"),
    (dict(batch_size=0), ValueError, r"`batch_size` is 0;"),
    (dict(batch_size=1.5), ValueError, r"`batch_size` is 1.5;"),
    (dict(epochs=-1), ValueError, r"`epochs` is -1"),
    (dict(epochs="ten"), TypeError, r"`epochs`.*ten"),
    (dict(seed=-1), ValueError, r"`seed` is -1"),
    (dict(model=plain), TypeError, r"`model` is a function; it must be a net of cnnlib.layers or a torch.nn.Module"),
    (dict(model=layers.ReLU()), ValueError, r"`model` has no parameters"),
    (dict(optimizer=0.1), TypeError, r"`optimizer` is a float; it must be an optimiser, such as"),
    (dict(optimizer=sgd(OTHER)), ValueError, r"`optimizer` holds 4 of 4 parameters that are not the model's"),
    (dict(schedule=optim.StepLR(sgd(OTHER), 3)), ValueError, r"`schedule` steers another optimiser"),
    (dict(loss=layers.CrossEntropyLoss(reduction="none")), ValueError, r"`loss` has reduction='none'"),
    (dict(loss=lambda out, y: 0.0), TypeError, r"`loss` is .*must be one of its losses"),
    (dict(device="moon"), ValueError, r"'moon' is no place for a layer here"),
    (dict(mixed_precision=True), ValueError, r"`mixed_precision` is for a torch.nn.Module"),
    (dict(split_batches="yes"), ValueError, r"`split_batches` is 'yes'; it must be 'auto', True or False"),
    (dict(resume=True), ValueError, r"`resume` needs the `checkpoint`"),
    (dict(checkpoint="nowhere/run.npz"), ValueError, r"`checkpoint` is 'nowhere/run.npz', and there is no folder"),
])
def test_errors(change, error, words):
    if "device" in change:
        pytest.importorskip("torch")  # which knows the names of devices
    before = weights(NET)
    settings = dict(model=NET, train=samples(), epochs=1, optimizer=sgd(NET), batch_size=16, callback=None) | change
    with pytest.raises(error, match=words):
        training.fit(settings.pop("model"), settings.pop("train"), **settings)
    for name, value in weights(NET).items():
        np.testing.assert_array_equal(value, before[name])


@needs_torch
def test_errors_of_torch():
    net = theirs()
    with pytest.raises(ValueError, match=r"`device` is 'moon', which torch cannot use here"):
        training.fit(net, samples(), epochs=1, optimizer=torch_sgd(net), batch_size=8, device="moon")
    with pytest.raises(TypeError, match=r"`loss` is CrossEntropyLoss.*function of \(out, target\)"):
        training.fit(net, samples(), epochs=1, optimizer=torch_sgd(net), batch_size=8, loss=layers.CrossEntropyLoss())


def test_no_epochs():
    net, history = fit_ours(epochs=0)
    assert_same_weights(net, ours())
    assert len(history) == 0 and history.step_loss == []


@needs_torch
def test_what_mixed_precision_takes(monkeypatch):
    """bfloat16 where the GPU has it in hardware, float16 (whose loss is scaled) on a T4, nothing on a CPU."""
    import torch

    from cnnlib.training import _engines

    assert _engines.mixed_dtype(torch.device("cpu")) is None
    for has, dtype in ((True, "bfloat16"), (False, "float16")):
        monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda including_emulation=True, has=has:
                            has or including_emulation)
        assert _engines.mixed_dtype(torch.device("cuda")) == dtype
    a, b = theirs(), theirs()
    for net, mixed in ((a, True), (b, False)):
        training.fit(net, samples(), epochs=1, optimizer=torch_sgd(net), batch_size=16, device="cpu",
                     mixed_precision=mixed, **QUIET)
    assert_same_weights(a, b)


@needs_torch
def test_half_precision_computes_and_keeps_full_weights(monkeypatch):
    """What a GPU with bfloat16 does, on the CPU, where autocast knows it too."""
    from cnnlib.training import _engines

    monkeypatch.setattr(_engines, "mixed_dtype", lambda device: "bfloat16")
    seen, net = [], theirs()
    net.conv.register_forward_hook(lambda layer, args, out: seen.append(str(out.dtype)))
    history = training.fit(net, samples(), epochs=20, optimizer=torch_sgd(net), batch_size=16, device="cpu",
                           mixed_precision=True, **QUIET)
    assert set(seen[1:]) == {"torch.bfloat16"} and str(net.fc.weight.dtype) == "torch.float32"
    assert history.train_loss[-1] < 0.1


@needs_torch
@pytest.mark.cuda
@pytest.mark.parametrize("mixed", [False, True])
def test_on_a_gpu(mixed):
    import torch

    if not torch.cuda.is_available():
        pytest.skip("no CUDA device")
    net = theirs()
    history = training.fit(net, samples(), samples(9), epochs=20, optimizer=torch_sgd(net), batch_size=16,
                           mixed_precision=mixed, **QUIET)
    assert net.fc.weight.is_cuda and history.valid_accuracy[-1] == 1
