"""The facts of lecture 21 that are about pixels; those about sizes alone stand in test_geometry.py."""

import numpy as np
import pytest
from helpers import assert_close

from cnnlib import conv, data, geometry

SEVEN = np.array([list(map(int, line)) for line in "111111 000010 011100 001000 010000 100000".split()])
FILTER_1 = np.array([[1, 1, 1], [-1, 1, -1], [1, -1, -1]])
MEAN = np.ones((1, 1, 3, 3)) / 9


def paths(layers, size):
    """Through how many windows each pixel of a row reaches the one unit on top: a backward pass with weights of 1."""
    sizes = [size]
    for kernel_size, stride, dilation in layers:
        sizes.append(geometry.output_size(sizes[-1], kernel_size, stride, 0, dilation))
    assert sizes[-1] == 1
    grad = np.ones((1, 1, 1, 1))
    for (kernel_size, stride, dilation), below in zip(reversed(layers), reversed(sizes[:-1])):
        grad, _, _ = conv.conv2d_backward(grad, np.zeros((1, 1, 1, below)), np.ones((1, 1, 1, kernel_size)),
                                          stride=(1, stride), dilation=(1, dilation))
    return grad.ravel()


def test_zeros_at_the_end_make_room_for_a_third_window():
    out = conv.conv2d(SEVEN[None], FILTER_1[None, None], stride=2, padding=((0, 1), (0, 1)))[0]
    assert out.tolist() == [[1, 2, 1], [0, 1, 0], [0, 0, 0]]
    assert geometry.same_padding(6, 3, 2) == (0, 1)


@pytest.mark.parametrize("layers, size", [
    ([(3, 1, 1)] * 3, 7), ([(3, 2, 1), (3, 1, 1), (3, 1, 1)], 11), ([(3, 1, 1), (3, 1, 2), (3, 1, 4)], 15),
    ([(3, 1, 1)] * 2 + [(2, 2, 1)] + [(3, 1, 1)] * 2 + [(2, 2, 1)] + ([(3, 1, 1)] * 3 + [(2, 2, 1)]) * 3, 212),
    ([(11, 4, 1), (3, 2, 1), (5, 1, 1), (3, 2, 1), (3, 1, 1), (3, 1, 1), (3, 1, 1), (3, 2, 1)], 195),
])
def test_receptive_field_measured(layers, size):
    assert geometry.receptive_field(layers)[0] == size
    assert (paths(layers, size) > 0).all()


def test_effective_receptive_field_of_ten_means():
    row = paths([(3, 1, 1)] * 10, 21)
    assert row[10] / row[0] == 8953
    assert round((row[5:16].sum() / row.sum()) ** 2, 2) == 0.94  # rows times columns
    assert_close((row * np.arange(-10, 11) ** 2).sum() / row.sum(), np.array(20 / 3))


def test_padding_is_data():
    out = conv.conv2d(np.ones((1, 5, 5)), MEAN, padding=1)[0]
    assert_close(out[[0, 0, 2], [0, 2, 2]], np.array([4, 6, 9]) / 9)


def test_two_rules_called_same():
    photo, edge = data.photo("camera", size=224)[None], np.tile([-1.0, -1, -1, 0, 1, 1, 1], (1, 1, 7, 1)) / 21
    uneven = conv.conv2d(photo, edge, stride=2, padding=(geometry.same_padding(224, 7, 2),) * 2)
    even = conv.conv2d(photo, edge, stride=2, padding=3)
    assert uneven.shape == even.shape == (1, 112, 112)
    assert abs(uneven - even).mean() > 0.5 * abs(even).mean()  # no small matter
    everywhere = conv.conv2d(photo, edge, padding=3)  # one pixel apart
    assert_close(even, everywhere[:, ::2, ::2])
    assert_close(uneven, everywhere[:, 1::2, 1::2])


def test_pixels_left_over_reach_no_output():
    reach, _, _ = conv.conv2d_backward(np.ones((1, 1, 2, 2)), np.zeros((1, 1, 7, 7)), np.ones((1, 1, 3, 3)), stride=3)
    assert (reach[0, 0, :6, :6] == 1).all() and reach.sum() == 36


@pytest.mark.parametrize("layers", [[(3, 2, 1)] * 3 + [(3, 1, 1)], [(3, 1, 2**n) for n in range(4)]])
def test_four_layers_see_31_pixels_without_a_hole(layers):
    assert geometry.receptive_field(layers)[0] == 31
    assert (paths(layers, 31) > 0).all()


def test_fewer_than_four_layers_of_three_cannot():
    assert paths([(3, 3, 1)] * 2 + [(3, 1, 1)], 27).sum() == 27  # all paths apart: 27 pixels at most
    assert (paths([(3, 1, 15)], 31) > 0).sum() == 3


def test_vgg16_in_the_builder():
    pytest.importorskip("anywidget")
    from cnnlib.widgets import ShapeBuilder

    rows = ShapeBuilder(layers="VGG-16").table
    assert [rows[n]["shape"][1] for n in (2, 5, 9, 13, 17)] == [112, 56, 28, 14, 7]
    work, parameters = ([row[what] for row in rows] for what in ("multiply_adds", "parameters"))
    assert [n + 1 for n, count in enumerate(work) if count == max(work)] == [2, 5, 8, 9, 12, 13]
    assert (max(work), rows[17]["sees"]) == (1_849_688_064, [212, 212])
    assert (parameters.index(max(parameters)) + 1, max(parameters)) == (19, 102_764_544)


def test_answers_of_the_text():
    assert [geometry.output_size(7, 3, stride) for stride in (1, 2, 3)] == [5, 3, 2]
    assert [geometry.output_size(size, 3, 2, 1) for size in (7, 8)] == [4, 4]
    assert (geometry.output_size(28, 5, 2), geometry.exact_fit(28, 5, 2)) == (12, (False, (27, 29)))
    assert [geometry.same_padding(size, 3, 2) for size in (224, 225)] == [(0, 1), (1, 1)]
    assert [geometry.output_size(*setting) for setting in ((227, 11, 4), (224, 11, 4, (1, 2)))] == [55, 55]
    assert geometry.same_padding(32, 9) == geometry.same_padding(32, 3, dilation=4) == (4, 4)
    assert [size for size in range(200, 261) if all(size // 2**n % 2 == 0 for n in range(5))] == [224, 256]
    assert [geometry.receptive_field([(3, 2 if n == k else 1) for n in range(3)])[0] for k in range(3)] == [11, 9, 7]
    assert geometry.receptive_field([(3, 2), (3, 1)])[0] == 7
    assert (geometry.conv_parameters(3, 64, 3), geometry.conv_parameters(64, 64, 3)) == (1_792, 36_928)
    assert geometry.conv_multiply_adds(3, 64, 3, 32) == 1_769_472
    assert geometry.conv_multiply_adds(64, 64, 3, 32) == 37_748_736
