"""The size of what each stage of a net passes on."""

import numpy as np
import pytest
from helpers import assert_close

from cnnlib import inspection, layers


def test_known_values(array):
    net = layers.Sequential(layers.Flatten(), layers.ReLU(), layers.LeakyReLU(0.5))
    x = array(np.array([[[3.0, -4.0]], [[0.0, 1.0]]]))
    expected = np.sqrt([26 / 4, 10 / 4, 10 / 4])
    assert_close(inspection.output_sizes(net, x), expected)
    assert_close(inspection.output_sizes(net, x, layers.ReLU), expected[1:2])


def test_half_precision_does_not_overflow():
    net = layers.Sequential(layers.Identity())
    assert inspection.output_sizes(net, np.full((9, 9), 1000, dtype="float16"))[0] == 1000


def test_errors():
    with pytest.raises(ValueError, match="no stage of `kind` Tanh; it has Flatten, ReLU"):
        inspection.output_sizes(layers.Sequential(layers.ReLU(), layers.Flatten()), np.ones((1, 1)), layers.Tanh)
