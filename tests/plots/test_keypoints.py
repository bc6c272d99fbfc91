"""Key points, scale space, descriptors and matches: each mark stands where its numbers say."""

import numpy as np
import pytest
from matplotlib import pyplot as plt
from matplotlib.collections import LineCollection, PatchCollection
from matplotlib.colors import to_hex

from cnnlib import plots

PAGE = np.zeros((40, 60))


@pytest.fixture(autouse=True)
def _close():
    yield
    plt.close("all")


def of_kind(ax, kind):
    return [collection for collection in ax.collections if type(collection) is kind]


def test_circle_runs_along_the_edge_of_a_disc():
    ax = plots.plot_keypoints(PAGE, [[10, 30]], [8 / 2**0.5])
    box = of_kind(ax, PatchCollection)[-1].get_paths()[0].get_extents()
    np.testing.assert_allclose([box.x0, box.x1, box.y0, box.y1], [22, 38, 2, 18])  # column 30, row 10, radius 8


@pytest.mark.parametrize("angle, row, col", [(0, 0, 1), (np.pi / 2, 1, 0), (np.pi, 0, -1), (-np.pi / 2, -1, 0)])
def test_hand_points_down_at_a_quarter_turn(angle, row, col):
    ax = plots.plot_keypoints(PAGE, [[20, 30]], 2**0.5, [angle])
    start, end = of_kind(ax, LineCollection)[-1].get_segments()[0]
    np.testing.assert_allclose(start, [30, 20])
    np.testing.assert_allclose(end - start, [2 * col, 2 * row], atol=1e-12)


def test_without_directions_there_are_no_hands():
    assert of_kind(plots.plot_keypoints(PAGE, [[1, 2]], [3]), LineCollection) == []


def test_no_points_leave_the_picture():
    ax = plots.plot_keypoints(PAGE, np.zeros((0, 2)), np.zeros(0), np.zeros(0))
    assert ax.images and not of_kind(ax, PatchCollection)[-1].get_paths()


@pytest.mark.parametrize("args, words", [
    (([[1, 2, 3]], [1]), r"`positions` has shape \(1, 3\)"), (([[1, 2]], [1, 2]), r"`sigma` has shape \(2,\); 1 pos"),
    (([[1, 2]], [1], [1, 2]), r"`orientation` has shape \(2,\)"), (([[1, 2]], [0]), "`sigma` must be above zero, "),
])
def test_keypoint_errors(args, words):
    with pytest.raises(ValueError, match=words):
        plots.plot_keypoints(PAGE, *args)


def test_matches_end_on_their_points():
    ax = plots.plot_matches(PAGE, np.ones((30, 20)), [[5, 6], [7, 8]], [[9, 10], [11, 12]], [True, False])
    assert ax.images[0].get_array().shape == (40, ax.columns_b + 20, 3)
    assert (np.asarray(ax.images[0].get_array())[30:, 60:] == 1).all()  # paper under the smaller picture
    lines = of_kind(ax, LineCollection)
    np.testing.assert_allclose(lines[0].get_segments()[0], [[6, 5], [10 + ax.columns_b, 9]])
    np.testing.assert_allclose(lines[1].get_segments()[0], [[8, 7], [12 + ax.columns_b, 11]])


def test_pictures_fade_into_paper():
    page = plots.plot_matches(PAGE, PAGE, [], [], fade=0.25).images[0].get_array()
    assert sorted(set(np.asarray(page).ravel())) == [0.25, 1.0]  # black pictures, and the paper between them


def test_right_and_wrong_differ_in_more_than_colour():
    ax = plots.plot_matches(PAGE, PAGE, [[5, 6], [7, 8]], [[9, 10], [11, 12]], [True, False])
    right, wrong = of_kind(ax, LineCollection)
    assert [to_hex(line.get_colors()[0]) for line in (right, wrong)] == [plots.COLOURS["output"],
                                                                         plots.COLOURS["gradient"]]
    assert right.get_linestyle()[0][1] is None and wrong.get_linestyle()[0][1] is not None


def test_fade_error():
    with pytest.raises(ValueError, match="`fade` is 2; it must lie from 0"):
        plots.plot_matches(PAGE, PAGE, [], [], fade=2)


def test_outline_is_closed_and_lies_on_the_second_picture():
    ax = plots.plot_matches(PAGE, PAGE, [], [], outline=[[1, 2], [1, 9], [8, 9]])
    columns, rows = ax.lines[-1].get_data()
    assert rows.tolist() == [1, 1, 8, 1]
    assert (columns - ax.columns_b).tolist() == [2, 9, 9, 2]


def test_a_panel_for_each_kind():
    axes = plots.plot_keypoint_kinds(PAGE, {"kept": ([[10, 30], [5, 5]], [8, 1]), "faint": ([], [])})
    assert [ax.get_title() for ax in axes] == ["kept: 2", "faint: 0"]
    assert [len(of_kind(ax, PatchCollection)[-1].get_paths()) for ax in axes] == [2, 0]
    colours = {to_hex(of_kind(ax, PatchCollection)[-1].get_edgecolor()[0]) for ax in axes[:1]}
    assert colours == {plots.COLOURS["output"]}


def test_too_many_kinds():
    with pytest.raises(ValueError, match="`kinds` holds 4 names; 1 to 3"):
        plots.plot_keypoint_kinds(PAGE, dict.fromkeys("abcd", ([], [])))


def test_rivals_counts_below_the_lines():
    """Below 0.35 lie one right and one wrong neighbour; below the ratio of 0.8 the right one alone."""
    wall = [0.1, 0.2, 0.9], [0.9, 0.2, 1.0], [True, False, False]
    axes = plots.plot_rivals({"wall": wall, "none": ([1], [1], [0])})
    titles = [ax.get_title(loc="left") for ax in axes.ravel()]
    assert titles == ["wall: 50 % right below 0.35", "wall: 100 % right below 0.8", "none: none below 0.35",
                      "none: none below 0.8"]
    assert [ax.lines[0].get_xdata()[0] for ax in axes[0]] == [0.35, 0.8]


@pytest.mark.parametrize("judged, words", [
    ({}, "`judged` holds 0 pictures"), ({"a": ([1], [1, 2], [0])}, r"`judged\['a'\]` holds 1, 2 and 1 numbers"),
])
def test_rivals_errors(judged, words):
    with pytest.raises(ValueError, match=words):
        plots.plot_rivals(judged)


def test_no_matches_leave_the_pictures():
    assert of_kind(plots.plot_matches(PAGE, PAGE, [], []), LineCollection) == []


@pytest.mark.parametrize("args, words", [
    ((PAGE, PAGE, [[1, 2]], []), "`positions_a` has 1 points and `positions_b` 0"),
    ((PAGE, PAGE, [[1, 2]], [[1, 2]], [True, False]), r"`right` has shape \(2,\); 1 matches"),
    ((PAGE - 1, PAGE, [], []), r"`image_a` must lie in \[0, 1\], not in \[-1, -1\]"),
    ((PAGE, PAGE * np.nan, [], []), r"`image_b` must lie in \[0, 1\], not in \[nan, nan\]"),
    ((PAGE, np.zeros((4, 4, 2)), [], []), r"`image_b` has shape \(4, 4, 2\)"),
])
def test_match_errors(args, words):
    with pytest.raises(ValueError, match=words):
        plots.plot_matches(*args)


def test_sheet_halves_from_row_to_row():
    axes = plots.plot_scale_space([np.zeros((2, 80, 80)), np.zeros((2, 40, 40))], [[1.6, 2.0], [3.2, 4.0]])
    assert axes.shape == (2, 2)
    widths = [ax.get_position().width for ax in axes[:, 0]]
    np.testing.assert_allclose(widths[1] / widths[0], 0.5)
    assert [ax.get_title() for ax in axes.ravel()] == ["σ 1.6", "σ 2.0", "σ 3.2", "σ 4.0"]


def test_one_scale_for_the_whole_sheet():
    axes = plots.plot_scale_space([np.zeros((1, 8, 8)), np.full((1, 4, 4), -3.0)], [[1], [2]])
    assert {ax.images[0].get_clim() for ax in axes.ravel()} == {(-3.0, 3.0)}


@pytest.mark.parametrize("sigmas", [[[1, 2]], [[1], [2]], [[1, 2], [3]]])
def test_sheet_errors(sigmas):
    with pytest.raises(ValueError, match=r"octaves of \[2, 2\] levels and "):
        plots.plot_scale_space([np.zeros((2, 8, 8)), np.zeros((2, 4, 4))], sigmas)


def test_spokes_of_a_descriptor():
    """Number (row 1, column 2, direction 2 of 8) alone: one spoke, a quarter turn from the right, downwards."""
    descriptor = np.zeros(128)
    descriptor[(1 * 4 + 2) * 8 + 2] = 0.7
    spokes = np.array(of_kind(plots.plot_descriptor(descriptor), LineCollection)[-1].get_segments())
    lengths = np.linalg.norm(spokes[:, 1] - spokes[:, 0], axis=1)
    assert np.flatnonzero(lengths).tolist() == [50]
    start, end = spokes[50]
    np.testing.assert_allclose(start, [2, 1])
    assert end[1] > start[1] and abs(end[0] - start[0]) < 1e-12


def test_empty_descriptor_is_drawn_empty():
    spokes = np.array(of_kind(plots.plot_descriptor(np.zeros(128)), LineCollection)[-1].get_segments())
    assert np.ptp(spokes, axis=1).max() == 0


@pytest.mark.parametrize("values, words", [
    (np.zeros(127), r"`descriptor` has 127 numbers, the least 0: it needs a multiple of 4×4"),
    (np.full(128, -1), "has 128 numbers, the least -1"), (np.full(128, np.nan), "the least nan"),
])
def test_descriptor_errors(values, words):
    with pytest.raises(ValueError, match=words):
        plots.plot_descriptor(values)


def test_bars_that_reach_the_line_have_the_colour():
    ax = plots.plot_directions([1, 10, 7.9, 8])
    assert [to_hex(bar.get_facecolor()) == plots.COLOURS["output"] for bar in ax.patches] == [False, True, False, True]
    assert ax.lines[0].get_ydata()[0] == 8
    assert [bar.get_x() + bar.get_width() / 2 for bar in ax.patches] == [0, 90, 180, 270]


@pytest.mark.parametrize("values", [[0, 0], [1, -1], [np.nan, 1]])
def test_direction_errors(values):
    with pytest.raises(ValueError, match="`histogram` must hold amounts, one above zero, not"):
        plots.plot_directions(values)


def test_description_shows_the_surroundings_and_both_directions():
    place, turn, angles, _ = axes = plots.plot_description(PAGE, (20, 30), 1.5, [0, 1], np.eye(22), np.ones(36),
                                                           np.ones(128))
    assert len(axes) == 4
    assert len(of_kind(place, LineCollection)[-1].get_segments()) == 2
    assert (place.get_xlim(), place.get_ylim()) == ((18, 42), (32, 8))  # 8 sigmas around, rows downwards
    assert turn.images[0].get_clim() == (0, 1)
    assert angles.get_title() == "36 directions"
