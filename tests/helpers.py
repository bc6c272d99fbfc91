"""What the tests share: one comparison with one table of tolerances, and the net of lecture 23."""

import numpy as np

from cnnlib import _array

TOLERANCE = {"float64": 1e-10, "float32": 1e-5, "float16": 2e-3, "bfloat16": 2e-2}
WINOGRAD_TOLERANCE = 2e-4  # float32


def relative_error(actual, expected):
    """Largest difference, measured against the largest expected number (against 1 where that is smaller)."""
    actual, expected = (_array.to_numpy(a) for a in (actual, expected))
    assert actual.shape == expected.shape, f"shapes differ: {actual.shape} and {expected.shape}"
    if not actual.size:
        return 0.0
    actual, expected = actual.astype(np.float64), expected.astype(np.float64)
    assert np.isfinite(expected).all(), "the expected values are not finite: compare those with np.testing"
    return float(np.abs(actual - expected).max() / max(1.0, np.abs(expected).max()))


def assert_close(actual, expected, tolerance=None):
    """Equal shapes, and equal values within the tolerance of `actual`'s dtype; integers exactly.

    A call that gives its own, looser `tolerance` says why in a comment.
    """
    dtype = _array.dtype_name(actual)
    if dtype not in TOLERANCE and tolerance is None:
        np.testing.assert_array_equal(_array.to_numpy(actual), _array.to_numpy(expected))
        return
    error = relative_error(actual, expected)
    limit = TOLERANCE[dtype] if tolerance is None else tolerance
    assert error <= limit, f"relative error {error:.3g} above {limit:.3g}"  # also catches NaN


def lenet5(nn):
    """Return LeNet-5 as lecture 23 builds it, of the layers of either engine."""
    return nn.Sequential({
        "c1": nn.Conv2d(1, 6, 5), "relu1": nn.ReLU(), "s2": nn.MaxPool2d(2),
        "c3": nn.Conv2d(6, 16, 5), "relu3": nn.ReLU(), "s4": nn.MaxPool2d(2), "flatten": nn.Flatten(),
        "c5": nn.Linear(400, 120), "relu5": nn.ReLU(), "f6": nn.Linear(120, 84), "relu6": nn.ReLU(),
        "output": nn.Linear(84, 10)})
