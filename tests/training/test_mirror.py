"""Pictures turned left to right by chance."""

import numpy as np
import pytest
from helpers import assert_close

from cnnlib import _array
from cnnlib.training import mirror


def test_each_picture_is_itself_or_turned(array, rng):
    x = rng.standard_normal((40, 2, 3, 5))
    out = _array.to_numpy(mirror(array(x), rng=np.random.default_rng(1)))
    turned = np.random.default_rng(1).random(40) < 0.5
    assert 10 < turned.sum() < 30
    np.testing.assert_array_equal(out[turned], x[turned][..., ::-1])
    np.testing.assert_array_equal(out[~turned], x[~turned])


def test_twice_the_same_is_nothing(array, rng):
    x = array(rng.standard_normal((6, 1, 4, 4)))
    assert_close(mirror(mirror(x, rng=np.random.default_rng(2)), rng=np.random.default_rng(2)), x)


def test_what_it_refuses():
    with pytest.raises(ValueError, match=r"`x` has shape \(3, 4\); it must be \(N, C, H, W\)"):
        mirror(np.ones((3, 4)), rng=np.random.default_rng(0))
