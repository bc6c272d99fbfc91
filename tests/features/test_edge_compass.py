"""Robinson's compass: strength and direction."""

import numpy as np
import pytest
from helpers import assert_close
from photographs import photo, photos_and_crops

from cnnlib import _array
from cnnlib.features import edges


def by_definition(image):
    """All eight responses, one mask at a time, and the first largest one."""
    responses = np.array([edges.response(image, mask) for mask in edges.ROBINSON])
    return responses.max(axis=0), responses.argmax(axis=0)


@pytest.mark.parametrize("number", range(8))
def test_each_direction(array, number):
    """An edge on which one walks that way, brighter on the right hand: its own mask answers, the opposite one least."""
    angle = np.pi / 4 * number
    walk = np.array([-np.cos(angle), np.sin(angle)])  # rows, columns: N is up
    right = np.array([walk[1], -walk[0]])
    rows, cols = np.mgrid[-3:4, -3:4]
    image = np.sign(np.round(rows * right[0] + cols * right[1], 6))
    strength, direction = edges.robinson(array(image))
    assert int(direction[3, 3]) == number and edges.DIRECTIONS[number] == ("N NE E SE S SW W NW".split())[number]
    assert float(strength[3, 3]) == (8 if number % 2 == 0 else 8)


def test_a_unit_ramp(array):
    ramp = np.arange(8.0) * np.ones((5, 1))
    strength, direction = map(_array.to_numpy, edges.robinson(array(ramp)))
    assert (strength[:, 1:-1] == 8).all() and (direction == 0).all()
    assert (edges.response(ramp, edges.ROBINSON[2]) == 0).all()


@pytest.mark.parametrize("levels", (3, 256))
def test_definition_and_ties(array, rng, levels):
    """With few levels most pixels are ties: the first of the eight counts."""
    for image in rng.integers(0, levels, (4, 13, 17)):
        strength, direction = edges.robinson(array(image))
        expected, first = by_definition(image.astype(float))
        assert_close(strength, expected)
        np.testing.assert_array_equal(_array.to_numpy(direction), first)


def test_nothing_to_see(array):
    strength, direction = map(_array.to_numpy, edges.robinson(array(np.full((2, 4, 5), 0.7))))
    assert abs(strength).max() < 1e-15 and direction.shape == (2, 4, 5)
    strength, direction = map(_array.to_numpy, edges.robinson(array(np.full((2, 4, 5), 7))))
    assert (strength == 0).all() and not np.signbit(strength).any() and (direction == 0).all()


def test_on_photographs(array):
    for image in photos_and_crops()[:8]:
        strength, direction = edges.robinson(array(image))
        expected, _ = by_definition(image)
        assert_close(strength, expected)
        assert _array.dtype_name(direction) == "int64"
        responses = np.array([edges.response(image, mask) for mask in edges.ROBINSON])
        chosen = np.take_along_axis(responses, _array.to_numpy(direction)[None], 0)[0]
        assert_close(chosen, expected)


def distinct(image):
    """Where one mask alone answers loudest, so that no tie rule is asked."""
    responses = np.sort([edges.response(image, mask) for mask in edges.ROBINSON], axis=0)
    return responses[-1] > responses[-2]


def test_a_quarter_turn_moves_the_answer_by_two(array):
    image = np.round(255 * photo("camera")[100:180, 200:310])
    clear = distinct(image)
    assert clear.mean() > 0.5
    strength, direction = map(_array.to_numpy, edges.robinson(array(image)))
    for quarters in (1, 2, 3):
        turned = np.ascontiguousarray(np.rot90(image, -quarters))  # clockwise
        other_strength, other_direction = map(_array.to_numpy, edges.robinson(array(turned)))
        assert_close(np.rot90(other_strength, quarters), strength)
        moved = (direction + 2 * quarters) % 8
        assert (np.rot90(other_direction, quarters) == moved)[clear].all()


def test_the_negative_walks_the_other_way(array):
    image = np.round(255 * photo("coins")[:90, :121])
    clear = distinct(image)
    strength, direction = map(_array.to_numpy, edges.robinson(array(image)))
    other_strength, other_direction = map(_array.to_numpy, edges.robinson(array(255 - image)))
    assert_close(other_strength, strength)
    assert clear.mean() > 0.5 and (other_direction == (direction + 4) % 8)[clear].all()


def test_batches(array, rng):
    images = rng.integers(0, 9, (2, 3, 6, 7))
    strength, direction = edges.robinson(array(images))
    one_strength, one_direction = edges.robinson(array(images[1, 0]))
    assert_close(strength[1, 0], _array.to_numpy(one_strength))
    np.testing.assert_array_equal(_array.to_numpy(direction[1, 0]), _array.to_numpy(one_direction))
    assert tuple(edges.robinson(array(images[:0]))[1].shape) == (0, 3, 6, 7)
