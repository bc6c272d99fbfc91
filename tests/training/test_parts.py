"""Memory that runs out: the same step in parts, and an error where parts would be another computation."""

import numpy as np
import pytest
from trainees import (
    limited,
    needs_torch,
    noisy,
    ours,
    out_of_memory,
    plain,
    samples,
    sgd,
    theirs,
    torch_sgd,
    weights,
)

from cnnlib import layers, training

both = pytest.mark.parametrize("make, optimizer", [(ours, sgd), pytest.param(theirs, torch_sgd, marks=needs_torch)])


def fit(net, optimizer, **settings):
    return training.fit(net, samples(48, "float64"), samples(30, "float64", seed=3), **dict(
        epochs=2, optimizer=optimizer, batch_size=16, device="auto", callback=None) | settings)


@both
@pytest.mark.parametrize("kind", ["numpy", "torch", "torch-cpu"])
@pytest.mark.parametrize("most", [8, 5, 1])
def test_parts_are_the_same_step(make, optimizer, kind, most):
    if kind != "numpy":
        pytest.importorskip("torch")
    whole, parts = make(dtype="float64"), make(dtype="float64")
    expected = fit(whole, optimizer(whole))
    found = fit(limited(parts, most, kind), optimizer(parts))
    np.testing.assert_allclose(found.step_loss, expected.step_loss, rtol=1e-10)
    np.testing.assert_allclose(found.valid_loss, expected.valid_loss, rtol=1e-10)
    assert found.valid_accuracy == expected.valid_accuracy
    for name, value in weights(whole).items():
        np.testing.assert_allclose(weights(parts)[name], value, rtol=1e-10, atol=1e-12)


def test_half_is_tried_first_and_kept():
    log, net = [], ours(dtype="float64")
    training.fit(limited(net, 8, log=log), samples(32, "float64"), epochs=2, optimizer=sgd(net), batch_size=16,
                 callback=None)
    assert log == [1, 16, 8, 8, 8, 8, 8, 8, 8, 8]  # one sample for the labels; the failure; then halves


@both
def test_batch_norm_and_dropout_refuse(make, optimizer):
    net = limited(make(noisy, "float64"), 8)
    before = weights(net)["fc.weight"]
    with pytest.raises(MemoryError, match=r"a batch of 16 does not fit into memory, and in parts norm \(BatchNorm2d\), "
                       r"drop \(Dropout\) would compute something else: .*split_batches=True"):
        fit(net, optimizer(net))
    np.testing.assert_array_equal(weights(net)["fc.weight"], before)


@both
def test_unless_asked_for(make, optimizer):
    net = limited(make(noisy, "float64"), 8)
    history = fit(net, optimizer(net), split_batches=True)
    assert len(history) == 2 and np.isfinite(history.step_loss).all()


def test_layers_that_rest_do_not_refuse():
    """Dropout with p = 0 changes nothing."""
    def still(nn):
        return nn.Sequential({"drop": nn.Dropout(0.0)} | dict(plain(nn).named_children()))

    net = limited(ours(still, "float64"), 8)
    assert len(fit(net, sgd(net))) == 2


def test_a_weighted_loss_refuses():
    """Where weights may differ from sample to sample, nobody knows what a part of the batch counts."""
    net = limited(ours(dtype="float64"), 8)
    x, y = samples(48, "float64")
    with pytest.raises(MemoryError, match="in parts the loss with weight would compute something else"):
        training.fit(net, (x, np.eye(3)[y]), epochs=1, optimizer=sgd(net), batch_size=16, callback=None,
                     loss=layers.BCEWithLogitsLoss(np.array([1.0, 2, 3])))


def test_never_if_forbidden():
    net = limited(ours(dtype="float64"), 8)
    with pytest.raises(MemoryError, match="^Unable to allocate 9 TiB$"):
        fit(net, sgd(net), split_batches=False)


def test_one_sample_too_many():
    net = ours(dtype="float64")
    optimizer = sgd(net)
    layer, forward = net.fc, net.fc.forward
    layer.forward = lambda x: forward(x) if not layer.training else (_ for _ in ()).throw(out_of_memory("numpy"))
    with pytest.raises(MemoryError, match="not even one sample fits into memory.*9 TiB"):
        fit(net, optimizer)


def test_other_errors_pass():
    net = ours(dtype="float64")
    optimizer = sgd(net)
    layer, forward = net.fc, net.fc.forward
    layer.forward = lambda x: forward(x) if not layer.training else (_ for _ in ()).throw(RuntimeError("a plain fault"))
    with pytest.raises(RuntimeError, match="a plain fault"):
        fit(net, optimizer)


def test_evaluation_in_parts():
    """There batch norm and dropout rest, so that parts change nothing."""
    net = ours(noisy, "float64")
    data = samples(20, "float64")
    expected = training.evaluate(net, data)
    found = training.evaluate(limited(net, 3), data)
    assert found.loss == pytest.approx(expected.loss, rel=1e-12)
    np.testing.assert_array_equal(found.predicted, expected.predicted)
