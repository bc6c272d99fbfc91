"""Sliding windows: each score is the window's own descriptor times the weights; sizes, places, what is refused."""

import numpy as np
import pytest
from helpers import assert_close

from cnnlib import _array, data, images
from cnnlib.features import hog
from cnnlib.features.windows import cut_out, find, pyramid, score_windows

WINDOW = (3, 2, 2, 2, 5)  # rows and columns of blocks, cells of a block, orientations
OPTIONS = {"orientations": 5, "pixels_per_cell": (4, 6), "cells_per_block": (2, 2)}


def photo(shape=(50, 70)):
    return images.resize(data.photo("coins"), shape)


def test_known_values(array):
    """One number a block: the window is a filter."""
    picture = np.array([[1.0, 2, 4], [8, 16, 32]])
    blocks, weight = (array(a[..., None, None, None]) for a in (picture, np.array([[-1.0, 1]])))
    assert_close(score_windows(blocks, weight), np.array([[1.0, 2], [8, 16]]))
    assert_close(score_windows(blocks, weight, bias=-3), np.array([[-2.0, -1], [5, 13]]))


def test_scores_are_descriptors_times_weights(array, rng):
    """One correlation over the grid of blocks equals the classifier, asked at each place by itself."""
    blocks = hog.hog(photo(), feature_vector=False, **OPTIONS)
    weight = rng.normal(size=WINDOW)
    one_by_one = np.array([[(blocks[i:i + 3, j:j + 2] * weight).sum() + 0.5 for j in range(blocks.shape[1] - 1)]
                           for i in range(blocks.shape[0] - 2)])
    assert one_by_one.shape == (9, 9)
    assert_close(score_windows(array(blocks), array(weight), 0.5), one_by_one)
    both = np.stack([blocks, blocks[::-1]])
    scores = score_windows(array(both), array(weight), 0.5)
    assert_close(scores[0], one_by_one)
    assert_close(scores[1], _array.to_numpy(score_windows(array(both[1]), array(weight), 0.5)))


def test_scores_are_those_of_a_picture_cut_out(rng):
    """A window inside of a picture has the descriptor of its pixels, once their gradients know their neighbours."""
    image, weight = photo(), rng.normal(size=WINDOW)
    scores = score_windows(hog.hog(image, feature_vector=False, **OPTIONS), weight)
    for i, j in ((1, 1), (4, 3), (8, 8)):
        row, col = 4 * i, 6 * j
        grads = hog.pixel_gradients(image[row - 1:row + 17, col - 1:col + 19])
        votes = hog.pixel_votes(*(g[1:-1, 1:-1] for g in grads), 5)
        blocks = hog.normalise_blocks(hog.group_cells(hog.cell_histograms(*votes, 5, (4, 6)), 2))
        assert blocks.shape == WINDOW
        assert_close(scores[i, j], np.array((blocks * weight).sum()), 1e-6)  # hog takes lengths in float32


def test_whole_picture_is_one_window(rng):
    """Then the score is the plain linear classifier on the plain descriptor."""
    image = photo((16, 18))
    weight = rng.normal(size=WINDOW)
    scores = score_windows(hog.hog(image, feature_vector=False, **OPTIONS), weight, 2)
    assert_close(scores, np.array([[hog.hog(image, **OPTIONS) @ weight.ravel() + 2]]))


def test_moves_with_the_picture(rng):
    """A picture moved by whole cells has the same scores, moved: away from the border, where gradients are missing."""
    image, weight = photo(), rng.normal(size=WINDOW)
    whole, moved = (score_windows(hog.hog(part, feature_vector=False, **OPTIONS), weight) for part in (
        image, image[4:, 6:]))
    assert_close(moved[1:, 1:], whole[2:, 2:])


@pytest.mark.parametrize("shape", [(90, 120), (120, 90, 3)])
def test_pyramid(shape, rng):
    image = rng.random(shape)
    levels = pyramid(image, (30, 25), 1.3)
    assert_close(levels[0], image)
    for k, level in enumerate(levels):
        assert level.shape[:2] == tuple(round(side / 1.3**k) for side in shape[:2])
        assert_close(level, images.resize(image, level.shape[:2]))
    assert levels[-1].shape[0] >= 30 and levels[-1].shape[1] >= 25
    left_out = [round(side / 1.3**len(levels)) for side in shape[:2]]
    assert left_out[0] < 30 or left_out[1] < 25
    assert pyramid(image, (30, 121)) == []
    assert all(abs(level - 0.5).max() < 1e-12 for level in pyramid(np.full((40, 40), 0.5), 7))


def test_find_is_every_window_of_every_size(rng):
    image, weight = photo(), rng.normal(size=WINDOW)
    boxes, scores = find(image, weight, 0.5, threshold=-np.inf, ratio=1.5, pixels_per_cell=(4, 6))
    expected_boxes, expected_scores = [], []
    for level in pyramid(image, (16, 18), 1.5):
        grid = score_windows(hog.hog(level, feature_vector=False, **OPTIONS), weight, 0.5)
        rows, cols = 50 / level.shape[0], 70 / level.shape[1]
        for i, j in np.ndindex(grid.shape):
            expected_boxes.append([4 * i * rows, 6 * j * cols, (4 * i + 16) * rows, (6 * j + 18) * cols])
            expected_scores.append(grid[i, j])
    assert len(expected_scores) > 81
    assert_close(boxes, np.array(expected_boxes))
    assert_close(scores, np.array(expected_scores))
    assert (boxes[:, :2] >= 0).all() and (boxes[:, 2:] <= [50, 70]).all()
    middle = np.sort(scores)[len(scores) // 2]  # a score itself, which is not above itself
    some, their = find(image, weight, 0.5, threshold=middle, ratio=1.5, pixels_per_cell=(4, 6))
    assert_close(some, boxes[scores > middle])
    assert_close(their, scores[scores > middle])


@pytest.mark.parametrize("size", [1, 1.44, 2.1])
def test_finds_a_thing_in_its_size(size):
    """Blocks are of length 1, so no window scores higher than the coin itself with its own descriptor as weights."""
    coins = data.photo("coins")[40:240, 100:300]
    row, col, side = 64, 64, 48
    grads = hog.pixel_gradients(images.crop(coins, row - 1, col - 1, side + 2, side + 2))
    votes = hog.pixel_votes(*(g[1:-1, 1:-1] for g in grads))
    blocks = hog.normalise_blocks(hog.group_cells(hog.cell_histograms(*votes), 2))
    boxes, scores = find(images.resize(coins, (round(200 * size), round(200 * size))), blocks, ratio=1.2)
    best = boxes[scores.argmax()] / size
    assert abs(best - [row, col, row + side, col + side]).max() <= (8 if size > 1 else 0)  # a cell, in that size
    assert scores.max() < 25 and (size > 1 or scores.max() > 24.99)  # 5 x 5 blocks, each a little short for its eps


@pytest.mark.parametrize("shape", [(30, 40), (30, 40, 3)])
def test_cut_out(rng, shape):
    image = rng.random(shape)
    boxes = np.array([[3, 5, 13, 15], [3.4, 4.6, 12.6, 15.2], [0, 0, 30, 40], [10, 20, 14, 26]])
    pieces = cut_out(image, boxes, (10, 10))
    assert_close(pieces[0], image[3:13, 5:15])
    assert_close(pieces[1], image[3:13, 5:15])  # rounded
    assert_close(pieces[2], images.resize(image, (10, 10)))
    assert_close(pieces[3], images.resize(image[10:14, 20:26], (10, 10)))
    assert_close(cut_out(image, boxes[3:], (8, 12), margin=0.5)[0], image[8:16, 17:29])
    beyond = cut_out(image, np.array([[-2, 35, 3, 43]]), (5, 8))[0]
    around = np.pad(image, [(2, 0), (0, 3)] + [(0, 0)] * (len(shape) - 2), mode="edge")
    assert_close(beyond, around[:5, 35:])
    assert cut_out(image, np.empty((0, 4)), (5, 8)).shape == (0, 5, 8, *shape[2:])
    with pytest.raises(ValueError, match=r"`boxes` has shape \(4,\)"):
        cut_out(image, boxes[0], (5, 8))


def test_colour(rng):
    weight = rng.normal(size=WINDOW)
    image = images.resize(data.photo("astronaut"), (40, 60))
    boxes, scores = find(image, weight, threshold=-np.inf, pixels_per_cell=(4, 6), channel_axis=-1)
    blocks = hog.hog(image, feature_vector=False, channel_axis=-1, **OPTIONS)
    assert_close(scores[:7 * 8], score_windows(blocks, weight).ravel())


def test_nothing_found(rng):
    boxes, scores = find(photo(), rng.normal(size=WINDOW), threshold=np.inf)
    assert boxes.shape == (0, 4) and scores.shape == (0,)
    boxes, scores = find(photo((10, 70)), rng.normal(size=WINDOW), pixels_per_cell=(4, 6))  # smaller than the window
    assert boxes.shape == (0, 4) and scores.shape == (0,)


def test_input_stays(rng):
    image, weight = photo(), rng.normal(size=WINDOW)
    before = image.copy(), weight.copy()
    image.flags.writeable = weight.flags.writeable = False
    find(image, weight, ratio=2)
    assert (image == before[0]).all() and (weight == before[1]).all()
    turned = find(image.T, weight, threshold=-np.inf, ratio=2)
    copied = find(np.ascontiguousarray(image.T), weight, threshold=-np.inf, ratio=2)
    assert_close(turned[1], copied[1])


def test_errors(rng):
    blocks, weight = np.zeros((4, 5, 2, 2, 9)), np.zeros((2, 2, 2, 2, 9))
    with pytest.raises(ValueError, match=r"`blocks` \(4, 5, 2, 2, 9\) and `weight` \(2, 2, 2, 2, 8\) must be"):
        score_windows(blocks, weight[..., 1:])
    with pytest.raises(ValueError, match=r"`weight` has shape \(144,\); it must be \(rows, cols, cells"):
        score_windows(blocks, weight.reshape(-1))
    with pytest.raises(ValueError, match="the window has 2 x 6 blocks, the picture 4 x 5"):
        score_windows(blocks, np.zeros((2, 6, 2, 2, 9)))
    with pytest.raises(TypeError, match="differ in dtype"):
        score_windows(blocks, weight.astype("float32"))
    for ratio in (1, 0.5, np.nan, np.inf, "two"):
        with pytest.raises(ValueError, match=f"`ratio` must be a number above 1, not {ratio!r}"):
            pyramid(np.zeros((9, 9)), 3, ratio)
    with pytest.raises(ValueError, match="1 of 3500 values that are NaN"):
        image = photo()
        image[3, 4] = np.nan
        find(image, weight)
    with pytest.raises(ValueError, match=r"`weight` has shape \(144,\)"):
        find(photo(), weight.reshape(-1))
    with pytest.raises(TypeError, match="`bias` must be a number, not str"):
        find(photo(), weight, "none")
