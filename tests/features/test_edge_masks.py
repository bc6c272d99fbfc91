"""The masks themselves: whole numbers, and what turning does to them."""

import numpy as np
import pytest

from cnnlib.features import edges


def test_known_values():
    """As the lecture writes them."""
    assert edges.DIRECTIONS == ("N", "NE", "E", "SE", "S", "SW", "W", "NW")
    north, northeast, east, *_ = edges.ROBINSON
    assert north.tolist() == [[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]]
    assert northeast.tolist() == [[-2, -1, 0], [-1, 0, 1], [0, 1, 2]]
    assert east.tolist() == [[-1, -2, -1], [0, 0, 0], [1, 2, 1]]
    assert edges.ROBINSON[5].tolist() == [[2, 1, 0], [1, 0, -1], [0, -1, -2]]
    assert edges.SCHARR.tolist() == [[-3, 0, 3], [-10, 0, 10], [-3, 0, 3]]
    assert edges.LAPLACIAN.tolist() == [[0, 1, 0], [1, -4, 1], [0, 1, 0]]


def test_laws():
    for number, mask in enumerate(edges.ROBINSON):
        assert mask.sum() == 0
        np.testing.assert_array_equal(mask[::-1, ::-1], -mask)  # half a turn is the negative
        np.testing.assert_array_equal(mask, -edges.ROBINSON[number - 4])
        np.testing.assert_array_equal(np.rot90(mask, -1), edges.ROBINSON[(number + 2) % 8])  # a quarter, clockwise
        np.testing.assert_array_equal(edges.turn_mask(mask), edges.ROBINSON[(number + 1) % 8])
    for mask in (edges.SOBEL, edges.PREWITT, edges.SCHARR):
        assert mask.sum() == edges.LAPLACIAN.sum() == 0
        assert np.linalg.matrix_rank(mask) == 1  # separable
    assert np.linalg.matrix_rank(edges.LAPLACIAN) == np.linalg.matrix_rank(edges.ROBINSON[1]) == 2


def test_turns_add_up(rng):
    mask = rng.integers(-9, 9, (3, 3))
    np.testing.assert_array_equal(edges.turn_mask(mask, 8), mask)
    np.testing.assert_array_equal(edges.turn_mask(edges.turn_mask(mask, 3), -3), mask)
    np.testing.assert_array_equal(edges.turn_mask(mask, 2), np.rot90(mask, -1))
    with pytest.raises(ValueError, match=r"`mask` has shape \(3, 5\)"):
        edges.turn_mask(np.ones((3, 5)))


def test_nobody_changes_them_by_accident():
    for mask in (edges.SOBEL, edges.PREWITT, edges.SCHARR, edges.LAPLACIAN, edges.ROBINSON):
        with pytest.raises(ValueError, match="read-only"):
            mask[0] = 1
