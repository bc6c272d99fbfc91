"""Targets that the loss ignores, and classes with weights: a mean divides by what counts, in parts and in batches."""

import warnings

import numpy as np
import pytest
from trainees import limited, needs_torch, ours, samples, sgd, theirs, torch_sgd, weights

from cnnlib import layers, training
from cnnlib.training import _counted
from cnnlib.training._engines import engine_for

ENGINES = ["numpy", pytest.param("torch", marks=needs_torch)]
WEIGHT = [1.0, 5.0, 0.5]


def made(engine, weight=None, **settings):
    """Return (net, optimiser, loss)."""
    if engine == "numpy":
        net = ours(dtype="float64")
        return net, sgd(net), layers.CrossEntropyLoss(None if weight is None else np.array(weight), **settings)
    import torch

    net = theirs(dtype="float64")
    weight = None if weight is None else torch.tensor(weight, dtype=torch.float64)
    return net, torch_sgd(net), torch.nn.CrossEntropyLoss(weight, **settings)


def partly(count, ignored, index=-100, seed=1):
    """Return samples of which those numbers are ignored."""
    x, y = samples(count, "float64", seed)
    y[ignored] = index
    return x, y


@pytest.mark.parametrize("settings, y, expected", [
    (dict(), [0, 1, 2, 2], 4), (dict(), [0, -100, 2, -100], 2), (dict(ignore_index=2), [0, 1, 2, 2], 2),
    (dict(weight=WEIGHT), [0, 1, -100, 2], 6.5), (dict(weight=WEIGHT, reduction="sum"), [0, 1, -100, 2], 3),
    (dict(), [[[0, 1], [2, -100]], [[-100, -100], [-100, 1]]], 1),  # pixels: 4 of 8 count, of two pictures one
    (dict(weight=WEIGHT), [[0.5, 0.5, 0.0], [1.0, 0.0, 0.0]], 2),  # probabilities: all samples alike, as in the loss
])
@pytest.mark.parametrize("engine", ENGINES)
def test_what_a_mean_divides_by(engine, settings, y, expected):
    net, _, loss = made(engine, **settings)
    assert _counted.mass(engine_for(net, loss, "auto"), np.array(y)) == expected


@pytest.mark.parametrize("settings", [dict(), dict(weight=WEIGHT), dict(ignore_index=1), dict(reduction="sum"),
                                      dict(weight=WEIGHT, label_smoothing=0.1)])
@pytest.mark.parametrize("engine", ENGINES)
def test_parts_are_the_same_step(engine, settings):
    """The first half of a batch has nothing that counts, the second some, and memory holds half a batch."""
    ignored = [*range(8), 10, 11]
    data = [partly(16, ignored, settings.get("ignore_index", -100), seed) for seed in (1, 2)]
    runs = []
    for most in (16, 8, 3):
        net, optimizer, loss = made(engine, **settings)
        optimizer.param_groups[0]["lr"] = 0.01
        history = training.fit(limited(net, most), data, epochs=2, optimizer=optimizer, loss=loss, callback=None,
                               device="auto")
        runs.append((history, weights(net)))
    (whole, expected), *parts = runs
    for history, found in parts:
        np.testing.assert_allclose(history.step_loss, whole.step_loss, rtol=1e-10)
        assert history.train_accuracy == whole.train_accuracy
        for name, value in expected.items():
            np.testing.assert_allclose(found[name], value, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("engine", ENGINES)
def test_who_ignores_nothing_is_not_disturbed(engine):
    """The steps are those of the samples that count, on their own."""
    x, y = partly(24, [0, 5, 6, 23])
    kept, nets = y >= 0, []
    for data in ((x, y), (x[kept], y[kept])):
        net, optimizer, loss = made(engine)
        history = training.fit(net, [data], epochs=3, optimizer=optimizer, callback=None, device="auto")
        nets.append((history, weights(net)))
    np.testing.assert_allclose(nets[0][0].train_loss, nets[1][0].train_loss, rtol=1e-12)
    assert nets[0][0].train_accuracy == nets[1][0].train_accuracy
    np.testing.assert_allclose(nets[0][1]["fc.weight"], nets[1][1]["fc.weight"], rtol=1e-10)


@pytest.mark.parametrize("settings", [dict(), dict(weight=WEIGHT), dict(weight=WEIGHT, reduction="sum")])
@pytest.mark.parametrize("engine", ENGINES)
def test_measured_whatever_the_batch_size(engine, settings):
    """The last batches of 3 have nothing that counts; the loss is that of all samples at once."""
    x, y = partly(20, [1, 4, *range(11, 20)])
    net, _, loss = made(engine, **settings)
    found = [training.evaluate(net, (x, y), loss=loss, batch_size=size, device="auto") for size in (20, 3, 1)]
    engine = engine_for(net, loss, "auto")
    whole = engine.loss_of(engine.predict(engine.arrays(x, y)[0]), engine.arrays(x, y)[1])
    if settings.get("reduction") == "sum":
        whole /= 9
    for result in found:
        assert result.loss == pytest.approx(whole, rel=1e-10)
        assert result.accuracy == (result.predicted == y).sum() / 9
        np.testing.assert_array_equal(result.target, y)


def test_a_perfect_net_is_perfect():
    """Every fifth label is ignored: neither right nor wrong, and a class that is ignored is never right."""
    x = np.eye(3)[np.arange(48) % 3] * 9
    net = layers.Linear(3, 3).to("float64")
    net.weight.data[...], net.bias.data[...] = np.eye(3), 0
    y = np.where(np.arange(48) % 5 == 0, -100, np.arange(48) % 3)
    result = training.evaluate(net, (x, y))
    assert result.accuracy == 1 and result.loss < 1e-3
    history = training.fit(net, (x, y), (x, y), epochs=1, optimizer=sgd(net, 0.0), batch_size=16, callback=None)
    assert history.valid_accuracy == history.train_accuracy == [1.0]
    assert history.valid_loss[0] == pytest.approx(result.loss, rel=1e-12)
    blind = layers.CrossEntropyLoss(ignore_index=0)
    assert training.evaluate(net, (x, np.where(np.arange(48) < 24, 0, y % 3)), loss=blind).accuracy == \
        (np.arange(24, 48) % 3 == y[24:] % 3)[y[24:] % 3 != 0].mean()


def test_nothing_that_counts():
    x, y = partly(6, range(6))
    with pytest.raises(ValueError, match=r"all targets of `data` are ignore_index=-100, or have weight 0"):
        training.evaluate(ours(dtype="float64"), (x, y), batch_size=2)
    net, steps = ours(), []
    with pytest.raises(ValueError, match="all labels of `valid` are ignored: nothing counts"):
        training.fit(net, samples(), (x, y), epochs=1, optimizer=sgd(net), batch_size=16, callback=steps.append)
    assert steps == []


@pytest.mark.parametrize("engine", ENGINES)
def test_a_step_with_nothing_that_counts(engine):
    """The second batch's: the weights are those after the first."""
    net, optimizer, loss = made(engine)
    with pytest.raises(ValueError, match=r"all 6 samples of step 2 are ignored, or have weight 0: .*`batch_size`"):
        training.fit(net, [samples(6, "float64"), partly(6, range(6))], epochs=1, optimizer=optimizer, loss=loss,
                     callback=None, device="auto")
    assert np.isfinite(weights(net)["fc.weight"]).all()


def test_chance_is_that_of_what_counts():
    """Two of three labels are ignored, and the rest read well: no alarm. Black pictures: an alarm, with its share."""
    x, y = samples(96)
    y = np.where(np.arange(96) // 3 % 3 == 0, y, -100)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        net = ours()
        training.fit(net, (x, y), epochs=10, optimizer=sgd(net), batch_size=16, callback=None)
    net = ours()
    with pytest.warns(training.TrainingWarning, match=r"always naming class 0 gives 33\.\d %"):
        training.fit(net, (x * 0, y), epochs=5, optimizer=sgd(net), batch_size=16, callback=None)
