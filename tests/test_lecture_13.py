"""The facts of lecture 13: what its text and its answers say in numbers."""

import io

import numpy as np
import pytest
from helpers import assert_close

from cnnlib import data, geometry, images
from cnnlib.features import boxes, hog, windows


@pytest.fixture(scope="module")
def person():
    return (255 * images.resize(images.crop(data.photo("camera"), 60, 25, 440, 220), (128, 64))).round()


def of(picture, **options):
    return hog.hog(picture, 9, 8, 2, **options)


def test_3780_numbers(person):
    """7·15·36 of a 64×128 window; its cells alone have 1,152, of which 84 are used four times, 40 twice, 4 once."""
    assert of(person).size == 7 * 15 * 36 == 3780
    cells = hog.cell_histograms(*hog.pixel_votes(*hog.pixel_gradients(person)))
    assert cells.shape == (16, 8, 9) and cells.size == 1152
    used = np.bincount(hog.group_cells(np.arange(128).reshape(16, 8, 1), 2).ravel())
    assert np.bincount(used).tolist() == [0, 4, 40, 0, 84]
    assert used.sum() * 9 == 420 * 9 == 3780


def test_one_pixel_and_one_cell_by_hand(person):
    patch = person[15:25, 15:25]
    down, right = patch[6, 5] - patch[4, 5], patch[5, 6] - patch[5, 4]
    assert (down, right) == (-126, -48)
    assert np.degrees(np.arctan2(down, right)) % 180 == pytest.approx(69.1, abs=0.05)
    cell = hog.cell_histograms(*hog.pixel_votes(*hog.pixel_gradients(person)))[2, 2]
    assert cell.argmax() == 3 and round(cell.max() / cell.sum(), 2) == 0.6


def test_179_degrees_on_the_circle():
    theta = np.radians([[179.0]])
    bins, shares = hog.pixel_votes(np.sin(theta), np.cos(theta), votes="linear")
    assert (20 * bins.ravel() + 10).tolist() == [170, 10]
    assert_close(shares.ravel(), np.array([0.55, 0.45]))


def test_turned_by_ten_degrees():
    """Hard votes stay or jump by √2; shared ones always move, by half as much at most."""
    angles = np.radians(np.arange(180))[None]
    moves = {}
    for name in ("hard", "linear"):
        bins, shares = hog.pixel_votes(np.sin(angles), np.cos(angles), votes=name)
        votes = np.stack([(shares * (bins == k)).sum(axis=0)[0] for k in range(9)])
        moves[name] = np.linalg.norm(votes - np.roll(votes, -10, axis=1), axis=0)
    assert set(moves["hard"].round(9)) == {0, round(2 ** 0.5, 9)}
    ends = [moves["linear"].min(), moves["linear"].max()]
    assert ends == pytest.approx([0.5 * 0.5**0.5, 0.5**0.5])


def test_light_cancels_and_turns_do_not(person):
    """The negative and an offset change nothing; a factor next to nothing; a turn as much as another photo."""
    own = of(person)
    assert_close(of(255 - person), own)
    assert_close(of(person + 50), own)
    assert abs(of(person / 2) - own).max() < 1e-3  # the small eps of flat blocks
    square = 255 * images.resize(data.photo("camera"), (128, 128))

    def distance(other):
        return np.linalg.norm(of(other) - of(square)) / np.linalg.norm(of(square))

    assert distance(np.roll(square, 1, axis=1)) < 0.4 < 0.7 < distance(np.roll(square, 8, axis=1))
    assert distance(np.rot90(square)) > 0.9 * distance(255 * data.photo("cat", size=128, grey=True))


def test_longest_channel():
    red_green = np.zeros((3, 4, 3))
    red_green[:, :2, 0] = red_green[:, 2:, 1] = 1
    assert hog.pixel_gradients(red_green, channel_axis=-1)[1][1].tolist() == [0, -1, -1, 0]
    assert not hog.pixel_gradients(red_green.sum(axis=-1))[1].any()


@pytest.mark.parametrize("options", [{}, {"cells_per_block": (2, 2), "block_norm": "L1"},
                                     {"orientations": 6, "transform_sqrt": True}])
def test_agrees_with_scikit_image(options):
    feature = pytest.importorskip("skimage.feature")
    colour = data.photo("astronaut", size=(200, 170))
    # scikit-image rounds the histograms to float32
    assert_close(hog.hog(colour, channel_axis=-1, **options), feature.hog(colour, channel_axis=-1, **options), 1e-6)


def test_agrees_with_opencv(person):
    cv2 = pytest.importorskip("cv2")
    if not hasattr(cv2, "HOGDescriptor"):
        pytest.skip("OpenCV 5 has no HOGDescriptor")
    theirs = cv2.HOGDescriptor().compute(person.astype(np.uint8)).ravel()
    paper = of(person, votes="trilinear", transform_sqrt=True, feature_vector=False).transpose(1, 0, 3, 2, 4).ravel()
    assert np.corrcoef(hog.opencv_hog(person), theirs)[0, 1] > 0.99
    assert 0.9 < np.corrcoef(paper, theirs)[0, 1] < 0.99


def test_answers_of_the_text():
    bins, shares = hog.pixel_votes(np.array([[30.0]]), np.array([[40.0]]), votes="linear")
    assert bins.ravel().tolist() == [1, 2] and shares.ravel().round(1).tolist() == [32.8, 17.2]
    small = hog.hog(np.zeros((48, 48)), 9, 6, 3, feature_vector=False)
    assert small.shape == (6, 6, 3, 3, 9) and small.size == 2916
    assert np.ravel_multi_index((1, 0, 0, 0, 0), small.shape) == 486
    assert np.ravel_multi_index((1, 0, 2, 2, 8), small.shape) == 566
    assert round(100 * 5 / (5 + 80_000 * 0.001)) == 6  # the precision of exercise 5
    pair = np.array([[0, 0, 21, 21], [0, 7, 21, 28]])
    assert boxes.box_iou(pair, pair)[0, 1] == 0.5


def test_windows_of_the_workshop():
    """18 levels and 120,186 windows of 21×21 pixels, three pixels apart, in 500×741 pixels."""
    levels = windows.pyramid(np.zeros((500, 741)), 21)
    places = [[geometry.output_size(side // 3, 7) for side in level.shape] for level in levels]
    assert len(levels) == 18 and sum(rows * cols for rows, cols in places) == 120_186


def test_the_sign_of_a_gradient():
    """18 bins over 360°: a window of 21×21 pixels has 6·6 blocks of 72 numbers; a face and its negative differ."""
    signed = {"orientations": 18, "pixels_per_cell": 3, "cells_per_block": 2, "votes": "linear", "signed": True}
    face = images.resize(images.crop(data.photo("astronaut", grey=True), 75, 175, 95, 95), (21, 21))
    own, negative = (hog.hog(picture, **signed) for picture in (face, 1 - face))
    assert own.size == 6 * 6 * 72 == 2592
    assert own @ negative < 0.6 * own @ own
    unsigned = {**signed, "orientations": 9, "signed": False}
    assert_close(hog.hog(1 - face, **unsigned), hog.hog(face, **unsigned))


def test_eyes_are_nearly_always_darker_than_cheeks():
    """Three rows at the eyes of the upright 25×25 faces against three rows below; the caption's number."""
    pytest.importorskip("skimage")
    (x, y), _ = data.load_faces()
    faces = x[y == 1, 0].astype(float)
    eyes, below = (faces[:, rows, 4:18].mean(axis=(1, 2)) for rows in (slice(7, 10), slice(11, 14)))
    assert len(faces) == 80 and 75 <= (eyes < below).sum() < 80


@pytest.fixture(scope="module")
def square():
    return (255 * images.resize(data.photo("camera"), (128, 128))).round()


def test_contrast_of_one_half_changes_only_the_blocks_at_the_border(square):
    """Exercise 3: the border lies between cells 7 and 8, so blocks 6 to 8 touch it."""
    left = np.where(np.arange(128) < 64, 2 * square, square)
    own, other = (of(picture, feature_vector=False) for picture in (square, left))
    moved = np.linalg.norm((other - own).reshape(15, 15, -1), axis=-1).max(axis=0)
    assert (moved[6:9] > 0.5).all() and np.delete(moved, [6, 7, 8]).max() < 1e-3


def test_blur_takes_votes_from_the_strong_cells(square):
    """Exercise 3: a Gaussian of σ = 2 leaves about half of the strongest quarter's votes, all of the weakest's."""
    blurred = pytest.importorskip("scipy.ndimage").gaussian_filter(square, 2)
    own, soft = (hog.cell_histograms(*hog.pixel_votes(*hog.pixel_gradients(picture))).sum(-1)
                 for picture in (square, blurred))
    weak, strong = own < np.quantile(own, 0.25), own > np.quantile(own, 0.75)
    assert 0.4 < soft[strong].sum() / own[strong].sum() < 0.6
    assert 0.9 < soft[weak].sum() / own[weak].sum() < 1.1


def test_jpegs_squares_rule_flat_cells(square):
    """Exercise 3: of the weakest quarter's votes more than nine in ten are then level or upright."""
    pillow = pytest.importorskip("PIL.Image")
    file = io.BytesIO()
    pillow.fromarray(square.astype(np.uint8)).save(file, "JPEG", quality=20)
    own, rough = (hog.cell_histograms(*hog.pixel_votes(*hog.pixel_gradients(picture)))
                  for picture in (square, np.array(pillow.open(file)).astype(float)))
    weak = own.sum(-1) < np.quantile(own.sum(-1), 0.25)
    shares = [cells[weak][:, [0, 4, 8]].sum() / cells[weak].sum() for cells in (own, rough)]
    assert shares[0] < 0.8 and shares[1] > 0.9


def test_light_counts_where_it_is_cut_off(square):
    """50 added and cut at 255 moves the descriptor about as far as a shift by a pixel does."""
    own = of(square)
    cut, moved = (np.linalg.norm(of(other) - own) / np.linalg.norm(own)
                  for other in (np.minimum(square + 50, 255), np.roll(square, 1, axis=1)))
    assert 0.8 < cut / moved < 1.1


@pytest.mark.parametrize("angle, bins", [(179, [8, 0]), (1, [8, 0])])
def test_who_forgets_the_circle(angle, bins):
    """The second share at 179° would go to bin 9; at 1° the first would go to bin -1, NumPy's last."""
    theta, position = np.radians([[float(angle)]]), angle / 20 - 0.5
    assert hog.pixel_votes(np.sin(theta), np.cos(theta), votes="linear")[0].ravel().tolist() == bins
    line = [int(np.floor(position)), int(np.floor(position)) + 1]
    assert line == ([8, 9] if angle == 179 else [-1, 0])


def test_fine_texture_loses_its_weak_votes_too():
    """Exercise 3: on bricks blur takes as much from the weakest quarter as the photograph's strongest lose."""
    brick = (255 * data.photo("brick", size=128, grey=True)).round()
    blurred = pytest.importorskip("scipy.ndimage").gaussian_filter(brick, 2)
    own, soft = (hog.cell_histograms(*hog.pixel_votes(*hog.pixel_gradients(picture))).sum(-1)
                 for picture in (brick, blurred))
    weak = own < np.quantile(own, 0.25)
    assert soft[weak].sum() / own[weak].sum() < 0.5


def test_answers_of_play(person):
    """The folded text under the explorer."""
    pytest.importorskip("anywidget")
    from cnnlib.widgets import HogExplorer

    told = [HogExplorer(person / 255, cell=(2, 2), block=(2, 2), pixel=pixel, votes="trilinear").sentence()
            for pixel in ((4, 4), (4, 3), (3, 3))]
    for words, shares in zip(told, (8, 4, 2)):
        assert f"; {shares} shares in the block" in words
    before = hog.group_cells(hog.cell_histograms(*hog.pixel_votes(*hog.pixel_gradients(person))), 2)
    after = hog.normalise_blocks(before)
    assert [after[0, 0].max(), after[2, 2].max()] == pytest.approx([0.42, 0.43], abs=0.005)
    assert before[2, 2].max() / before[0, 0].max() == pytest.approx(36, abs=0.5)
    shares = {n: hog.cell_histograms(*hog.pixel_votes(*hog.pixel_gradients(person), n), n)[2, 2] for n in (2, 9, 18)}
    assert shares[2][0] / shares[2].sum() == pytest.approx(0.99, abs=0.005)
    assert np.sort(shares[9])[-3:].sum() > 0.98 * shares[9].sum()
    assert np.count_nonzero(shares[18] > 0.05 * shares[18].sum()) == 4
    plain, rooted = (hog.cell_histograms(*hog.pixel_votes(*hog.pixel_gradients(
        person, transform_sqrt=root))).sum(-1) for root in (False, True))
    gain = rooted / plain
    assert np.all(gain[5:8, 1:5] > 2.8 * gain[:3, :1].max()) and np.all(gain[5:8, 1:5] < 3.4 * gain[:3, :1].min())


def test_exercise_1_counts_what_is_right():
    """All five numbers of the folded answer, as rounded there; a bin or an angle that is wrong is not counted."""
    bins, shares = hog.pixel_votes(np.array([[30.0]]), np.array([[40.0]]), votes="linear")
    answers = [np.hypot(30, 40), np.degrees(np.arctan2(30, 40)), bins.ravel()[0], *shares.ravel()]
    for mine, right in (([50, 36.9, 1, 32.8, 17.2], 5), ([0] * 5, 0), ([50, 53.1, 1, 17.2, 32.8], 2),
                        ([50, 36.9, 2, 32.8, 17.2], 4)):
        assert (abs(np.array(mine) - answers) < 0.1).sum() == right


def test_a_box_at_an_eye_is_no_face():
    """The second box on the astronaut, of 36 pixels a side, inside her face: the IoU that the text gives."""
    eye, face = np.array([[93.4, 233.5, 129.7, 269.8]]), np.array([[75.0, 175.0, 170.0, 270.0]])
    assert boxes.box_iou(eye, face)[0, 0] == pytest.approx(0.15, abs=0.005)
