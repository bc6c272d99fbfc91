"""Measuring: by hand, in evaluation mode, whatever the batch size; confusion counted by hand; errors."""

import numpy as np
import pytest
from trainees import needs_torch, noisy, ours, samples, theirs, weights

from cnnlib import layers, training


def identity_net():
    net = layers.Linear(3, 3).to("float64")
    net.weight.data[...], net.bias.data[...] = np.eye(3), 0
    return net


def test_by_hand():
    x = np.array([[2.0, 0, 0], [0, 2, 0], [0, 0, 2], [2, 0, 0]])
    result = training.evaluate(identity_net(), (x, np.array([0, 1, 2, 1])))
    right, wrong = np.log(np.exp(2) + 2) - 2, np.log(np.exp(2) + 2)
    assert result.loss == pytest.approx((3 * right + wrong) / 4, rel=1e-12)
    assert result.accuracy == 0.75
    np.testing.assert_array_equal(result.predicted, [0, 1, 2, 0])
    np.testing.assert_array_equal(result.target, [0, 1, 2, 1])
    assert result.predicted.dtype == np.int64


@pytest.mark.parametrize("module", [ours, pytest.param(theirs, marks=needs_torch)])
def test_batch_size_does_not_matter(module):
    """Dropout rests, batch norm takes its running statistics, each layer keeps its mode, no weight moves."""
    net, data = module(noisy, "float64"), samples(23, "float64")
    net.train()
    net.norm.eval()
    before = weights(net)
    results = [training.evaluate(net, data, batch_size=size, device="auto") for size in (1, 7, 23, None)]
    for result in results[1:]:
        assert result.loss == pytest.approx(results[0].loss, rel=1e-12)
        np.testing.assert_array_equal(result.predicted, results[0].predicted)
    assert net.drop.training and not net.norm.training
    for name, value in weights(net).items():
        np.testing.assert_array_equal(value, before[name])


def test_batches_count_by_their_samples():
    x, y = samples(20)
    net = ours()
    whole, parts = training.evaluate(net, (x, y)), training.evaluate(net, [(x[:3], y[:3]), (x[3:], y[3:])])
    assert parts.loss == pytest.approx(whole.loss, rel=1e-6)
    assert parts.accuracy == whole.accuracy


@needs_torch
def test_same_as_torch():
    data = samples(20, "float64")
    a, b = training.evaluate(ours(dtype="float64"), data), training.evaluate(theirs(dtype="float64"), data)
    assert a.loss == pytest.approx(b.loss, rel=1e-10)
    np.testing.assert_array_equal(a.predicted, b.predicted)


def test_targets_that_are_no_classes():
    x = np.array([[1.0, 2.0, 3.0]])
    result = training.evaluate(identity_net(), (x, x + 1), loss=layers.MSELoss())
    assert result.loss == 1 and result.accuracy is None and result.predicted is None


def test_classes_of_pixels():
    """Scores (N, C, H, W) and targets (N, H, W): each pixel is an answer."""
    net = layers.Conv2d(1, 2, 1).to("float64")
    net.weight.data[...], net.bias.data[...] = np.array([-1.0, 1]).reshape(2, 1, 1, 1), 0
    x = np.array([1.0, -1, 1, -1, 1, 1]).reshape(1, 1, 2, 3)
    y = np.array([[[1, 0, 1], [1, 1, 1]]])
    assert training.evaluate(net, (x, y)).accuracy == pytest.approx(5 / 6)


def test_confusion_by_hand():
    target, predicted = np.array([0, 0, 1, 2, 2, 2]), np.array([0, 2, 1, 0, 2, 2])
    expected = [[1, 0, 1], [0, 1, 0], [1, 0, 2]]
    np.testing.assert_array_equal(training.confusion_matrix(target, predicted), expected)
    counts = training.confusion_matrix(target, predicted, 5)
    assert counts.shape == (5, 5) and counts.sum() == 6 and counts.dtype == np.int64
    np.testing.assert_array_equal(counts.sum(axis=1), [2, 1, 3, 0, 0])


@pytest.mark.parametrize("call, error, words", [
    (lambda: training.evaluate(identity_net(), (np.zeros((2, 3)), np.array([0, 3]))), ValueError,
     r"y of `data` holds 3 at \[1\] \(1 of 2 are out of range\); the net gives 3 scores, so labels go from 0 to 2"),
    (lambda: training.evaluate(identity_net(), np.zeros((2, 3))), TypeError, r"`data` is a ndarray"),
    (lambda: training.evaluate(np.mean, (np.zeros((2, 3)), np.zeros(2, dtype=int))), TypeError, r"`model` is a"),
    (lambda: training.confusion_matrix(np.array([0, 1]), np.array([0])), ValueError, r"`predicted` has shape \(1,\)"),
    (lambda: training.confusion_matrix(np.array([0.5]), np.array([0])), ValueError, r"`target` .* dtype float64"),
    (lambda: training.confusion_matrix(np.array([0, 3]), np.array([0, 1]), 3), ValueError,
     r"`num_classes` is 3, and the classes go from 0 to 3; they must lie from 0 to 2"),
    (lambda: training.confusion_matrix(np.array([0, -1]), np.array([0, 1])), ValueError, r"go from -1 to 1"),
])
def test_errors(call, error, words):
    with pytest.raises(error, match=words):
        call()
