"""The facts of lecture 12, and the answers that its text and its folded solutions give."""

import numpy as np
import pytest
from helpers import assert_close

from cnnlib import conv, data, images
from cnnlib.features import edges

WIDTH, HEIGHT = 320, 280
WALK = edges.DIRECTIONS


@pytest.fixture(scope="module")
def photo():
    return images.crop(data.photo("camera"), 40, 110, HEIGHT, WIDTH)


# ---- the facts

def test_left_neighbour(photo):
    """320×280 minus the left neighbour is 319×280, as widths and heights; 267,960 operations."""
    difference = conv.correlate2d(photo, np.array([[-1.0, 1]]))
    assert photo.shape == (HEIGHT, WIDTH) and difference.shape == (280, 319)
    assert_close(difference, np.diff(photo))
    assert 3 * difference.size == 267_960


def test_as_a_matrix():
    """Counted on a small photo where the matrix can be built, and by the same formulas on the large one."""
    height, width = 4, 5
    pixels = np.eye(height * width).reshape(-1, height, width)
    matrix = np.stack([np.diff(pixel).ravel() for pixel in pixels], axis=1)
    outputs, inputs = matrix.shape
    assert (outputs, inputs) == (height * (width - 1), height * width)
    assert np.count_nonzero(matrix) == 2 * outputs and set(matrix[matrix != 0]) == {-1, 1}
    outputs, inputs = HEIGHT * (WIDTH - 1), HEIGHT * WIDTH
    assert outputs * inputs == 8_003_072_000 and 2 * outputs == 178_640
    operations = 2 * outputs * inputs
    assert operations > 16e9 and round(operations / (3 * outputs), -4) == 60_000
    assert round(operations / (3 * outputs)) == 59_733
    assert round(outputs * inputs / 2 / 1e9) == 4


def test_masks_as_the_syllabus_writes_them():
    assert edges.ROBINSON[0].tolist() == edges.SOBEL.tolist() == [[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]]
    assert edges.ROBINSON[1].tolist() == [[-2, -1, 0], [-1, 0, 1], [0, 1, 2]]
    assert edges.ROBINSON[5].tolist() == [[2, 1, 0], [1, 0, -1], [0, -1, -2]]
    assert np.outer([1, 2, 1], [-1, 0, 1]).tolist() == edges.SOBEL.tolist()


def test_both_names_of_a_direction():
    """By the gradient a mask is called what the walk of two masks further on is: bright lies a quarter to the right."""
    rows, cols = np.mgrid[-1:2, -1:2]
    for k, mask in enumerate(edges.ROBINSON):
        down, right = (mask * rows).sum(), (mask * cols).sum()
        bearing = np.degrees(np.arctan2(right, -down)) % 360  # clockwise from north
        assert WALK[round(bearing / 45) % 8] == WALK[(k + 2) % 8]


# ---- what the text says

def test_the_row_from_sky_to_hair(photo):
    steps = np.diff(photo[62, 47:59].round(2))
    assert len(steps) == 11 and round(steps.sum(), 2) == -0.72 and round(steps.min(), 2) == -0.54
    assert (abs(steps[:3]) < 0.01).all() and (np.sort(steps)[:3] <= -0.05).all()


def test_scale_of_the_raw_mask():
    ramp, step = np.tile(np.arange(6.0), (3, 1)), np.tile([0.0, 0, 0, 1, 1, 1], (3, 1))
    assert edges.response(ramp, edges.SOBEL)[1, 1:-1].tolist() == [8] * 4
    assert edges.response(step, edges.SOBEL)[1].tolist() == [0, 0, 4, 4, 0, 0]
    slanted = np.add.outer(np.arange(5), np.arange(5)) > 4
    assert [edges.response(slanted, mask)[2, 2] for mask in (edges.SOBEL, edges.SOBEL.T)] == [3, 3]
    assert round(8 * float(edges.sobel_magnitude(slanted)[2, 2]), 2) == 4.24


@pytest.mark.parametrize("mask, expected", [
    (np.array([[-1, 1]]), 1.41), (np.array([[-1, 0, 1]]) / 2, 0.71), (edges.PREWITT / 6, 0.41),
    (edges.SOBEL / 8, 0.43), (edges.SCHARR / 32, 0.48), (edges.LAPLACIAN, 4.47)])
def test_noise(mask, expected):
    assert round(float(np.sqrt((mask**2).sum())), 2) == expected


def test_directions_of_a_wave():
    rows, cols = np.mgrid[:40, :40]
    wave = np.sin(np.pi / 2 * (rows * np.sin(np.radians(20)) + cols * np.cos(np.radians(20))))
    worst = []
    for derivative in (edges.scharr, edges.sobel, edges.prewitt):
        grads = [grad[1:-1, 1:-1] for grad in derivative(wave)]
        off = (np.degrees(edges.gradient_orientation(*grads)) + 70) % 180 - 90
        worst.append(abs(off[edges.gradient_magnitude(*grads) > 0.3]).max())
    assert worst == sorted(worst) and worst[0] < 0.5 < 2 < worst[1]


def test_the_rim_of_the_tripod(photo):
    strength, direction = edges.robinson(photo)
    responses = np.sort([edges.response(photo, mask)[230, 185] for mask in edges.ROBINSON])
    assert WALK[direction[230, 185]] == "S" and responses[-1] > responses[-2] + 0.3
    assert_close(strength[230, 185], responses[-1])


def test_thin_lines_and_hysteresis(photo):
    grads = edges.sobel(edges.smooth(photo, 1.0))
    thin = edges.non_maximum_suppression(edges.gradient_magnitude(*grads), *grads)
    linked = edges.hysteresis(thin, 0.02, 0.08)
    assert (thin > 0.08).sum() < linked.sum() < (thin > 0.02).sum()
    np.testing.assert_array_equal(linked, edges.canny(photo, sigma=1.0, low=0.02, high=0.08))
    coat = slice(150, 270), slice(5, 90)
    assert (thin > 0.02)[coat].sum() > 4 * linked[coat].sum()  # the folds come along with the low threshold


def test_equation_8_does_not_ask_on_which_side_it_is_brighter():
    """The gradient of a bright bar's right rim points to P - u: a step along it would keep the other pixel."""
    bar = np.zeros((7, 10))
    bar[:, 3:6] = 1
    for picture in (bar, 1 - bar):
        grads = edges.sobel(picture)
        crest = edges.non_maximum_suppression(edges.gradient_magnitude(*grads), *grads)
        assert np.flatnonzero(crest[3]).tolist() == [2, 5]


def test_what_breaks_first_and_what_moves(photo):
    def drawn(part, **settings):
        return edges.canny(photo, **settings)[part]

    head, buildings = (slice(20, 70), slice(40, 110)), (slice(120, 200), slice(215, 320))
    tower, tube = (slice(70, 125), slice(295, 320)), (225, slice(170, 200))
    kept = [drawn(part, low=0.08, high=0.08).sum() / drawn(part, low=0.02, high=0.08).sum()
            for part in (head, buildings, tower)]
    assert kept[0] > 0.85 and max(kept[1:]) < 0.35
    sharp, soft = (np.flatnonzero(drawn(tube, sigma=sigma, low=0.005, high=0.02)) + 170 for sigma in (1, 4))
    assert {177, 181} <= set(sharp) and not {177, 178, 180, 181} & set(soft)
    tops = [edges.canny(photo, sigma=sigma, low=0.005, high=0.02)[:, 70].argmax() for sigma in (1, 4)]
    assert abs(tops[0] - tops[1]) <= 1


def test_a_setting_that_keeps_the_tripod_and_loses_the_grass(photo):
    tripod, grass = (slice(200, 275), slice(170, 192)), (slice(215, 270), slice(235, 310))
    too_much, better = (edges.canny(photo, low=low, high=high) for low, high in ((0.005, 0.02), (0.02, 0.08)))
    assert too_much[grass].mean() > 0.05 and better[grass].sum() == 0
    assert better[tripod].sum() > 0.8 * too_much[tripod].sum()


def test_uint8_loses_the_falling_edges():
    square = np.zeros((7, 8), dtype="uint8")
    square[2:5, 2:6] = 255
    assert np.diff(square[3]).tolist() == [0, 255, 0, 0, 0, 1, 0]
    assert edges.sobel(square)[1].min() < -100 and edges.sobel(square)[1].max() > 100


# ---- the exercises

def test_exercise_1():
    centre = np.array([[1, 1, 9], [1, 5, 9], [5, 9, 9]])
    answers = [(mask * centre).sum() for mask in edges.ROBINSON]
    assert (answers[0], answers[2], answers[1]) == (28, 20, 32) and np.argmax(answers) == WALK.index("NE")
    assert [(mask * (centre + 100)).sum() for mask in edges.ROBINSON] == answers


def test_exercise_2():
    pixels = 1920 * 1080
    assert (9 * pixels, 6 * pixels) == (18_662_400, 12_441_600) and round(pixels**2 / 1e12, 1) == 4.3


def blind_to(mask):
    """The exercise's own check: over all places but the border, not at the centre alone."""
    pictures = np.tile([0.0, 0, 1, 1, 1], (5, 1)), np.ones((5, 5)), np.add.outer(np.arange(5.0), 2 * np.arange(5))
    return [bool(abs(edges.response(x, mask)[1:-1, 1:-1]).max() < 1e-9) for x in pictures]


@pytest.mark.parametrize("mask", ([[0, -1, 0], [0, 2, 0], [0, -1, 0]], [[-1, -1, -1], [2, 2, 2], [-1, -1, -1]]))
def test_exercise_3(mask):
    assert all(blind_to(mask))
    assert edges.response(np.tile(np.eye(5)[2][:, None], (1, 5)), mask)[2, 2] != 0


def test_exercise_3_finds_a_mask_that_is_blind_at_the_centre_alone():
    """Its columns add up to 0, 1 and -1: it answers the line, and the step as soon as that stands one place aside."""
    mask = np.array([[0, 0, 0], [0, 0, -2], [0, 1, 1]])
    upright, slope = np.tile([0.0, 0, 1, 1, 1], (5, 1)), np.add.outer(np.arange(5.0), 2 * np.arange(5))
    assert [edges.response(x, mask)[2, 2] for x in (upright, np.ones((5, 5)), slope)] == [0, 0, 0]
    assert edges.response(np.tile(np.eye(5)[2][:, None], (1, 5)), mask)[2, 2] == -2
    assert blind_to(mask) == [False, True, True]


def test_exercise_3_sobel_would_not_do():
    """Neither of Sobel's masks, nor the Laplacian, is what is asked for."""
    line, upright = np.tile(np.eye(5)[2][:, None], (1, 5)), np.tile([0.0, 0, 1, 1, 1], (5, 1))
    assert edges.response(line, edges.SOBEL.T)[2, 2] == 0 and edges.response(upright, edges.LAPLACIAN)[2, 2] != 0


def test_exercise_4():
    corner = np.add.outer(np.arange(7), np.arange(7)) > 6
    assert WALK[edges.robinson(corner)[1][3, 3]] == "NE"
    assert WALK[edges.robinson(corner[::-1, ::-1].copy())[1][3, 3]] == "SW"


def test_exercise_5():
    heights = np.array([[7, 3, 0, 0, 0, 4, 0], [0, 0, 4, 0, 0, 5, 0], [0, 0, 0, 3, 0, 0, 0],
                        [5, 5, 0, 0, 0, 0, 8], [0, 6, 0, 0, 0, 4, 0], [0, 0, 0, 1, 0, 5, 3]])
    assert (heights > 2).sum() == 13
    assert edges.hysteresis(heights, 2, 6).sum() == 8
    assert edges.hysteresis(heights, 2, 6, connectivity=1).sum() == 3


def test_exercise_6_can_be_begun():
    measure = pytest.importorskip("skimage.measure")
    coins = data.photo("coins")
    regions = measure.label(~edges.canny(coins, sigma=2.0), connectivity=1)
    assert regions.max() > 10
    assert data.photo("rocket", grey=True).ndim == 2
