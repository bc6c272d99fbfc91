"""Who resumes another run than the one that was written gets an error, before anything moves."""

import json
from collections import Counter
from functools import partial

import numpy as np
import pytest
from trainees import needs_torch, ours, samples, sgd, theirs, torch_sgd, weights

from cnnlib import layers, optim, training
from cnnlib.training import _checkpoint, _plain


def fit(path, make=sgd, net=None, data=None, **settings):
    net = ours() if net is None else net
    settings = dict(epochs=2, batch_size=16, checkpoint=path, callback=None) | settings
    return net, training.fit(net, samples() if data is None else data, optimizer=make(net), **settings)


def swapped():
    x, y = samples()
    return x, np.roll(y, 1)


def brighter():
    x, y = samples()
    return x * np.float32(1.5), y


@pytest.mark.parametrize("change, words", [
    (dict(schedule=optim.CosineAnnealingLR), r"`schedule` is CosineAnnealingLR; .*run.npz was written with None"),
    (dict(make=partial(sgd, lr=5.0)), r"`optimizer` has lr=5.0 in group 0; .*run.npz was written with 0.1"),
    (dict(make=partial(sgd, weight_decay=0.5)), r"`optimizer` has weight_decay=0.5 in group 0; .* written with 0"),
    (dict(make=lambda net: optim.SGD(net.parameters()[:2], lr=0.1)), r"SGD for 2 parameters; .* SGD for 4 parameters"),
    (dict(loss=layers.RubbishCrossEntropyLoss()), r"`loss` is RubbishCrossEntropyLoss; .* with CrossEntropyLoss"),
    (dict(net=ours(dtype="float64")), r"`model` is float64; the checkpoint .* was written with float32"),
    (dict(data=swapped()), r"`train` holds other targets or pictures than those that the checkpoint .*run.npz"),
    (dict(data=brighter()), r"`train` holds other targets or pictures"),
    (dict(data=samples(47)), r"`samples` is 47; the checkpoint .* was written with 48"),
])
def test_another_run_is_refused(change, words, tmp_path):
    fit(tmp_path / "run.npz", epochs=1)
    before = (tmp_path / "run.npz").read_bytes()
    net = change.pop("net", None) or ours(seed=4)
    untouched = weights(net)
    with pytest.raises(ValueError, match=words):
        fit(tmp_path / "run.npz", net=net, resume=True, **change)
    np.testing.assert_array_equal(weights(net)["fc.weight"], untouched["fc.weight"])
    assert (tmp_path / "run.npz").read_bytes() == before


def test_a_run_with_a_schedule_is_not_gone_on_with_without_one(tmp_path):
    """The rate had come to 0: nothing would be learnt, and nobody would say so."""
    fit(tmp_path / "run.npz", schedule=optim.CosineAnnealingLR)
    with pytest.raises(ValueError, match=r"`schedule` is None; .* was written with CosineAnnealingLR"):
        fit(tmp_path / "run.npz", resume=True, epochs=4)
    with pytest.raises(ValueError, match=r"`schedule` is made for 12 steps; .* was written with one for 6: the same"):
        fit(tmp_path / "run.npz", resume=True, epochs=4, schedule=optim.CosineAnnealingLR)


@pytest.mark.parametrize("schedule", [None, lambda optimizer, steps: optim.OneCycleLR(optimizer, 0.2, steps)])
def test_the_same_objects_go_on(schedule, tmp_path):
    """Who interrupts and goes on in one notebook has an optimiser whose rate has moved, by a schedule or by hand."""
    def stop(progress):
        if schedule is None and not progress.epoch_ended:
            optimizer.param_groups[0]["lr"] *= 0.9
        if progress.step == 3 and progress.epoch_ended:
            raise KeyboardInterrupt

    net = ours()
    optimizer = sgd(net)
    again = dict(net=net, make=lambda net: optimizer, schedule=schedule, checkpoint_every=1)
    fit(tmp_path / "run.npz", callback=stop, **again)
    assert len(fit(tmp_path / "run.npz", resume=True, **again)[1]) == 2


@needs_torch
def test_half_precision_is_refused_before_the_first_step(tmp_path):
    import torch

    net, steps = theirs().to(torch.bfloat16), []
    with pytest.raises(TypeError, match="a checkpoint holds no bfloat16"):
        fit(tmp_path / "run.npz", torch_sgd, net, device="cpu", callback=steps.append)
    assert steps == [] and not (tmp_path / "run.npz").exists()


def test_a_state_that_no_file_holds_is_refused_before_the_first_step(tmp_path):
    class Odd(optim.StepLR):
        def state_dict(self):
            return super().state_dict() | {"steps": [1, {"shape": lambda t: t}]}

    steps = []
    with pytest.raises(TypeError, match=r"a checkpoint cannot hold schedule.steps\[1\].shape, a function: it holds"):
        fit(tmp_path / "run.npz", schedule=lambda optimizer, count: Odd(optimizer, count), callback=steps.append)
    assert steps == []


def test_a_file_of_an_older_version_is_refused(tmp_path):
    about = np.frombuffer(json.dumps({"format": 1, "settings": {"seed": 0}}).encode(), dtype="uint8")
    np.savez(tmp_path / "run.npz", **{_checkpoint.ABOUT: about})
    with pytest.raises(ValueError, match="run.npz has format 1, of another version of cnnlib; this one reads 2:"):
        fit(tmp_path / "run.npz", resume=True)
    np.savez(tmp_path / "list.npz", **{_checkpoint.ABOUT: np.frombuffer(b"[1]", dtype="uint8")})
    with pytest.raises(ValueError, match=r"list.npz has format None"):
        fit(tmp_path / "list.npz", resume=True)


def test_losses_that_are_not_finite_are_written_down(tmp_path):
    """The loss of what is learnt is small, that of `valid` overflows: said once, and the run goes on."""
    rng = np.random.default_rng(0)
    x, y = rng.random((32, 2), "float32"), rng.random((32, 1), "float32")
    stopped = []

    def stop(progress):
        if progress.epoch_ended and not stopped:
            stopped.append(progress)
            raise KeyboardInterrupt

    def run(path, **settings):
        net = layers.Linear(2, 1, rng=np.random.default_rng(1))
        valid = x, y + np.float32(1e30)
        with np.errstate(all="ignore"):
            return fit(path, net=net, data=(x, y), valid=valid, loss=layers.MSELoss(), **settings)[1]

    words = r"after epoch 1 the loss on `valid` is inf, and that of training 0\.\d+; training goes on"
    with pytest.warns(training.TrainingWarning, match=words) as caught:
        run(tmp_path / "run.npz", callback=stop)
        history = run(tmp_path / "run.npz", resume=True)
    assert len(caught) == 1
    assert history.valid_loss == [np.inf, np.inf] and np.isfinite(history.train_loss).all()
    with pytest.warns(training.TrainingWarning, match=words):
        run(None)


def test_plain_data_come_back_as_they_were():
    value = {"betas": (0.9, 0.999), "milestones": Counter({5: 2, 9: 1}), 3: [None, True, "x", (1, [2.5])],
             "far": -np.inf, "*": {"a": {}}, "big": 2**127, "last": np.float64(0.1), "count": np.int64(7)}
    text = json.dumps(_plain.encode(value, "it"), allow_nan=False)
    back = _plain.decode(json.loads(text))
    assert back == value and type(back["milestones"]) is Counter and type(back[3][3]) is tuple
    key = np.random.Generator(np.random.MT19937(0)).bit_generator.state
    again = _plain.decode(json.loads(json.dumps(_plain.encode(key, "it"))))
    np.testing.assert_array_equal(again["state"]["key"], key["state"]["key"])
    assert again["state"]["key"].dtype == np.uint32
    assert np.isnan(_plain.decode(_plain.encode([np.nan], "it"))[0])
