"""Histograms of oriented gradients: by hand, by laws, in every library, dtype and memory order; what is refused."""

from math import inf

import numpy as np
import pytest
from helpers import assert_close
from layouts import LAYOUTS, laid_out

from cnnlib import _array, data
from cnnlib.features import hog
from cnnlib.features.hog import cell_histograms, group_cells, normalise_blocks, pixel_gradients, pixel_votes

SIZE = (45, 38)  # five by four cells of 8 x 8, and a rest
SMALL = {"orientations": 5, "pixels_per_cell": (4, 6), "cells_per_block": (2, 3)}


def photo(rng, shape=SIZE, levels=np.uint8):
    """A random part of a photograph."""
    image = data.photo("camera")
    row, col = (rng.integers(0, full - size + 1) for full, size in zip(image.shape, shape))
    return (255 * image[row:row + shape[0], col:col + shape[1]]).round().astype(levels)


def cells_of(image, n=9, votes="linear", pixels_per_cell=(8, 8), **kwargs):
    return cell_histograms(*pixel_votes(*pixel_gradients(image, **kwargs), n, votes), n, pixels_per_cell)


def test_known_values(array):
    """A 3 x 3 picture, whose only pixel with four neighbours has the gradient (3, 4): 5 at 36.87 degrees."""
    image = array(np.array([[1., 2, 1], [3, 9, 7], [1, 5, 1]]))
    grad_row, grad_col = pixel_gradients(image)
    assert_close(grad_row, np.array([[0., 0, 0], [0, 3, 0], [0, 0, 0]]))
    assert_close(grad_col, np.array([[0., 0, 0], [0, 4, 0], [0, 0, 0]]))
    angle = np.degrees(np.arctan2(3, 4))
    upper = (angle - 30) / 20  # of the way from the centre of bin 1 to that of bin 2
    assert_close(cells_of(image, votes="hard", pixels_per_cell=3)[0, 0, :3], np.array([0, 5, 0]) / 9)
    assert_close(cells_of(image, pixels_per_cell=3)[0, 0, :3], np.array([0, 5 - 5 * upper, 5 * upper]) / 9)


def test_circle_of_orientations(array):
    """179 degrees vote 0.55 in the bin at 170 and 0.45 in the bin at 10; 0, 180 and -0 degrees are one angle."""
    angle = np.radians([[179., -1, 1, 181]])
    grad_row, grad_col = array(np.sin(angle)), array(np.cos(angle))
    bins, weights = (_array.to_numpy(a) for a in pixel_votes(grad_row, grad_col, votes="linear"))
    votes = np.zeros((4, 9))
    for pixel, bin_, weight in zip(np.indices(bins.shape)[2].ravel(), bins.ravel(), weights.ravel()):
        votes[pixel, bin_] += weight
    expected = np.zeros((4, 9))
    expected[:2, [8, 0]] = 0.55, 0.45
    expected[2:, [8, 0]] = 0.45, 0.55
    assert_close(votes, expected)
    rows, cols = array(np.array([[0., -0., 0, -0., -1e-17]])), array(np.array([[1., 1, -1, -1, 1]]))
    assert _array.to_numpy(pixel_votes(rows, cols)[0]).tolist() == [[[0, 0, 0, 0, 0]]]


@pytest.mark.parametrize("votes", ["hard", "linear"])
@pytest.mark.parametrize("n", [1, 2, 4, 9, 28])
def test_mass_is_kept(array, rng, votes, n):
    """Mean vote times pixels of a cell, over all bins and cells: the gradients' lengths over whole cells."""
    image = photo(rng)
    cells = cells_of(array(image), n, votes)
    rows, cols = pixel_gradients(image)
    assert_close(_array.to_numpy(cells).sum() * 64, np.hypot(rows, cols)[:40, :32].sum())


@pytest.mark.parametrize("votes", ["hard", "linear", "trilinear"])
def test_negative_and_offset_change_nothing(array, rng, votes):
    """To the last bit: clothes may be darker or brighter than what is behind them."""
    image = photo(rng, levels=np.int64)
    found = _array.to_numpy(hog.hog(array(image), votes=votes))
    assert found.max() > 0.1
    for same in (255 - image, image + 50, 17 - image):
        np.testing.assert_array_equal(_array.to_numpy(hog.hog(array(same), votes=votes)), found)


def test_negative_of_levels_that_no_float_holds(array, rng):
    """Shared votes are the same to the last bit; hard ones move at the end of a bin, where rounding decides."""
    image = photo(rng, (128, 128), np.float64) / 255
    both = [pixel_gradients(array(sign * image)) for sign in (1, -1)]
    for votes, n, same in (("linear", 8, True), ("hard", 9, True), ("hard", 8, False)):
        one, other = (_array.to_numpy(pixel_votes(*grads, n, votes)[0]) for grads in both)
        assert (one == other).all() == same and (one == other).mean() > 0.9


def test_gain_is_normalised_away(array, rng):
    image = photo(rng, levels=np.float64)
    one, two = (_array.to_numpy(hog.hog(array(x), block_norm="L2")) for x in (image, 1.5 * image))
    assert_close(one, two, 1e-7)  # up to what eps = 1e-5 weighs beside a strength of more than 1, and float32 lengths
    assert abs(one - hog.hog(image**1.5 / 16, block_norm="L2")).max() > 1e-3


@pytest.mark.parametrize("axis", [0, 1])
def test_flip(array, rng, axis):
    """The mirrored picture has mirrored cells and, with shared votes, mirrored bins: k becomes n - 1 - k."""
    image = photo(rng, (48, 40))
    cells, mirrored = (_array.to_numpy(cells_of(array(np.array(x)))) for x in (image, np.flip(image, axis)))
    assert_close(mirrored, np.flip(cells, (axis, 2)))
    assert abs(mirrored - np.flip(cells, axis)).max() > 1
    blocks = (hog.hog(x, cells_per_block=2, votes="trilinear", feature_vector=False)
              for x in (image, np.flip(image, axis)))
    assert_close(next(blocks)[::-1, :, ::-1, :, ::-1] if axis == 0 else next(blocks)[:, ::-1, :, ::-1, ::-1],
                 next(blocks), 1e-5)  # float32 inside


def test_transpose(array, rng):
    """Rows and columns change places, and angles are mirrored at 45 degrees: with 4 bins, 0 and 1, 2 and 3."""
    image = photo(rng, (40, 24)).astype(float)
    cells, turned = (_array.to_numpy(cells_of(array(np.array(x)), 4)) for x in (image, image.T))
    assert_close(turned, cells.transpose(1, 0, 2)[..., [1, 0, 3, 2]])


def test_strongest_colour(array):
    """Where red falls as green rises, the sum has no edge; of equal lengths the first channel wins."""
    red = np.tile([9., 9, 0, 0], (4, 1))
    colours = np.stack([red, 9 - red, np.zeros((4, 4))], -1)
    assert not pixel_gradients(colours.sum(-1))[1].any()
    rows, cols = (_array.to_numpy(g) for g in pixel_gradients(array(colours), channel_axis=-1))
    assert not rows.any() and cols.tolist() == [[0, -9, -9, 0]] * 4
    blue = colours * [1, 1, 0] + np.stack([0 * red, 0 * red, 2 * red.T], -1)
    rows, cols = (_array.to_numpy(g) for g in pixel_gradients(array(blue), channel_axis=2))
    assert rows[1].tolist() == [-18] * 4 and cols[1].tolist() == [0] * 4


def test_groups_and_norms(array, rng):
    cells = rng.uniform(0, 1, (4, 5, 3))
    blocks = _array.to_numpy(group_cells(array(cells), (2, 3)))
    assert blocks.shape == (3, 3, 2, 3, 3)
    for i, j in np.ndindex(3, 3):
        np.testing.assert_array_equal(blocks[i, j], cells[i:i + 2, j:j + 3])
    one = np.array([3., 4, 0, 0, 0, 0, 0, 0, 0]).reshape(1, 1, 9)
    clipped = np.array([0.2, 0.2]) / 0.08**0.5
    for norm, expected in (("L1", [3 / 7, 4 / 7]), ("L1-sqrt", [(3 / 7)**0.5, (4 / 7)**0.5]), ("L2", [0.6, 0.8]),
                           ("L2-Hys", clipped)):
        assert_close(normalise_blocks(array(one), norm, eps=0)[0, 0, :2], np.array(expected))
        assert not _array.to_numpy(normalise_blocks(array(0 * one), norm)).any()  # eps decides: zeros
    assert_close(normalise_blocks(array(one), "L1", eps=3)[0, 0, :2], np.array([0.3, 0.4]))


@pytest.mark.parametrize("n", [*range(1, 20), 28, 36, 180, 1000])
def test_strips_are_the_plain_steps(rng, n):
    """Where angles lie on the end of a bin, too, and where a picture is larger than a strip."""
    rows, cols = np.indices((61, 1001))
    for image in (photo(rng, (200, 333), np.float64), photo(rng).astype(float) / 255, rng.standard_normal(SIZE),
                  rows + cols, abs(rows - 30) - 2 * (cols // 16 % 2), np.minimum(rows, cols), -1e-17 * rows + cols / 4):
        plain = cells_of(image, n, "hard")
        found = hog._strips.cell_histograms(image.astype(float), n, (8, 8))
        assert_close(found, plain, 1e-7)  # lengths are float32 there
        assert not n < 40 or (plain > 0).sum() > 5


@pytest.mark.parametrize("n, cell, block, sigma", [
    (9, (8, 8), (2, 2), None), (9, (8, 8), (2, 2), 4.0), (7, (5, 6), (3, 2), None), (1, (8, 8), (1, 3), inf),
    (2, (6, 7), (1, 1), 3), (12, (4, 3), (4, 1), None),
])
def test_products_are_the_plain_steps(rng, n, cell, block, sigma):
    for image in (photo(rng, (200, 333), np.float64), photo(rng, (90, 61)).astype("float32"),
                  rng.standard_normal((3, *SIZE)), np.zeros(SIZE), np.indices(SIZE).sum(0).astype(float)):
        ballots = pixel_votes(*pixel_gradients(image), n, "linear")
        plain = normalise_blocks(hog.block_histograms(*ballots, n, cell, block, sigma))
        found = hog._products.block_histograms(image, n, cell, block, sigma)
        assert found.min() >= 0  # a root of less than nothing would be NaN
        assert_close(normalise_blocks(found), plain, 1e-5)  # all float32 there


@pytest.mark.parametrize("sigma, expected_sigma", [(None, (6, 4.5)), (4, (4, 4))])
def test_trilinear_by_its_definition(array, rng, sigma, expected_sigma):
    """Pixel by pixel: nearness to the cells' centres, times the Gaussian, half the block's side wide if not given."""
    cell, block, n = (6, 3), (2, 3), 4
    rows, cols = rng.normal(size=(2, 12, 9))
    expected = np.zeros((*block, n))
    for i, j in np.ndindex(12, 9):
        away = (i + 0.5 - 6) / expected_sigma[0], (j + 0.5 - 4.5) / expected_sigma[1]
        window = np.exp(-(away[0]**2 + away[1]**2) / 2)
        angle = np.degrees(np.arctan2(rows[i, j], cols[i, j])) % 180
        for p, q, k in np.ndindex(*block, n):
            near = max(0, 1 - abs(i + 0.5 - 6 * (p + 0.5)) / 6) * max(0, 1 - abs(j + 0.5 - 3 * (q + 0.5)) / 3)
            turn = abs((angle - 45 * (k + 0.5) + 90) % 180 - 90) / 45
            expected[p, q, k] += window * near * max(0, 1 - turn) * np.hypot(rows[i, j], cols[i, j]) / 18
    ballots = pixel_votes(array(rows), array(cols), n, "linear")
    assert_close(hog.block_histograms(*ballots, n, cell, block, sigma)[0, 0], expected)


@pytest.mark.parametrize("votes", ["hard", "trilinear"])
@pytest.mark.parametrize("norm", ["L1", "L1-sqrt", "L2", "L2-Hys"])
def test_the_quick_ways_give_the_steps(rng, votes, norm):
    """In any norm: also of the empty bins of a checkerboard, of which L1-sqrt takes roots."""
    for image in (photo(rng, (90, 77), np.float64), np.indices(SIZE).sum(0) // 4 % 2 * 9.0):
        ballots = pixel_votes(*pixel_gradients(image), 9, "hard" if votes == "hard" else "linear")
        blocks = hog.block_histograms(*ballots) if votes == "trilinear" else group_cells(cell_histograms(*ballots), 2)
        found = hog.hog(image, cells_per_block=2, block_norm=norm, votes=votes, feature_vector=False)
        assert_close(found, normalise_blocks(blocks, norm), 1e-5)  # float32 inside


@pytest.mark.parametrize("votes", ["hard", "linear", "trilinear"])
@pytest.mark.parametrize("dtype", ["float16", "float32", "float64", "uint8", "int16", "bool"])
def test_shape_dtype_and_batch(array, rng, votes, dtype):
    """Leading axes are pictures of their own; a float keeps its dtype, integers and booleans give float64."""
    images = rng.integers(0, 2 if dtype == "bool" else 100, (2, 3, *SIZE)).astype(dtype)
    found = hog.hog(array(images), **SMALL, votes=votes)
    assert found.shape == (2, 3, 10 * 4 * 2 * 3 * 5)
    assert _array.dtype_name(found) == (dtype if dtype.startswith("float") else "float64")
    for i, j in np.ndindex(2, 3):
        one = hog.hog(images[i, j], **SMALL, votes=votes, feature_vector=False)
        assert one.shape == (10, 4, 2, 3, 5)
        single = {"tolerance": 1e-5} if votes != "linear" and dtype not in ("float16", "float32") else {}
        assert_close(found[i, j], one.reshape(-1), **single)  # NumPy's hard and trilinear votes are float32 inside
    assert hog.hog(array(images[:, :0]), votes=votes).shape == (2, 0, 3 * 2 * 81)


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("votes", ["hard", "trilinear"])
@pytest.mark.parametrize("dtype", ["uint8", "float32", "float64"])
def test_layouts(rng, layout, votes, dtype):
    """Read-only, mirrored, transposed, big-endian pictures: the same numbers, and nothing is written to."""
    images = rng.integers(0, 255, (2, *SIZE)).astype(dtype)
    turned, = laid_out(layout, [images])
    np.testing.assert_array_equal(hog.hog(turned, votes=votes), hog.hog(images, votes=votes))
    np.testing.assert_array_equal(turned, images)


@pytest.mark.parametrize("votes", ["hard", "linear", "trilinear"])
def test_large_and_small_levels(array, rng, votes):
    """Gain is divided away up to 1e90, in integers of 64 bits too; nothing overflows on the way."""
    image = photo(rng, levels=np.float64) + 1
    found = _array.to_numpy(hog.hog(array(image), votes=votes))
    for scaled in (1e18 * image, 1e90 * image, (3e16 * image).astype("int64")):
        assert_close(hog.hog(array(scaled), votes=votes), found, 1e-4)  # beside 1e18, eps = 1e-5 weighs nothing
    assert_close(hog.hog(array((1e18 * image).astype("float32")), votes=votes), found.astype("float32"), 1e-4)


def test_the_largest_integers(array):
    """Stripes of 64-bit levels, whose squares no float32 holds."""
    stripes = np.tile([0, 0, 1, 1], (24, 6))
    found = _array.to_numpy(hog.hog(array(stripes * 9 * 10**18)))
    assert found.max() > 0.3
    np.testing.assert_allclose(found, hog.hog(stripes * 9e18), rtol=1e-4)


def test_colours_stand_anywhere(array, rng):
    images = rng.integers(0, 255, (2, *SIZE, 3))
    found = _array.to_numpy(hog.hog(array(images), channel_axis=-1))
    for axis in (0, 1, 2, -2):
        moved = np.ascontiguousarray(np.moveaxis(images, -1, axis))
        np.testing.assert_array_equal(_array.to_numpy(hog.hog(array(moved), channel_axis=axis)), found)


@pytest.mark.parametrize("change, message", [
    (lambda x: x[:23], "`image` has 23 rows and 38 columns; blocks of 3 x 3 cells of 8 x 8 pixels need at least 24 "),
    (lambda x: x[:, :0], r"`image` has 45 rows and 0 columns"),
    (lambda x: x[0], r"`image` has shape \(38,\); it must be \(\.\.\., H, W\)"),
    (lambda x: np.where(x > 200, np.nan, x), r"`image` has \d+ of 1710 values that are NaN, infinite or beyond 1e"),
    (lambda x: np.where(np.arange(38) == 3, -np.inf, x), r"`image` has 45 of 1710 values that are NaN"),
    (lambda x: np.stack([x] * 3, -1), r"shape \(45, 38, 3\), which looks like .* colours are, with channel_axis=-1"),
    (lambda x: np.stack([x] * 4, -1), r"shape \(45, 38, 4\), which .*image\[\.\.\., :3\] drops the transparency"),
])
def test_bad_pictures(array, rng, change, message):
    image = change(photo(rng, levels=np.float64))
    with pytest.raises(ValueError, match=message):
        hog.hog(array(np.array(image)))


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
@pytest.mark.parametrize("bad", [np.nan, inf, -inf])
def test_pixels_that_are_no_levels_are_counted(array, rng, dtype, bad):
    """In every dtype, and without a word from NumPy about numbers that it cannot hold."""
    image = photo(rng, levels=np.dtype(dtype))
    image[3, 4:9] = bad
    for votes in ("hard", "linear", "trilinear"):
        with pytest.raises(ValueError, match="`image` has 5 of 1710 values that are NaN, infinite or beyond 1e"):
            hog.hog(array(image), votes=votes)


@pytest.mark.parametrize("cell", [1, (4, 1)])
def test_colours_are_no_batch_of_narrow_pictures(array, cell):
    """Cells of one pixel would fit into a picture of as many columns as there are colours."""
    for colours in (3, 4):
        with pytest.raises(ValueError, match=rf"shape \(64, 64, {colours}\), which looks like a picture in colour"):
            hog.hog(array(np.ones((64, 64, colours))), pixels_per_cell=cell, cells_per_block=1)
    assert hog.hog(array(np.ones((2, 64, 3))), pixels_per_cell=1, cells_per_block=1).shape == (2, 64 * 3 * 9)


@pytest.mark.parametrize("kwargs, error, message", [
    ({"transform_sqrt": True}, ValueError, "`image` has 855 negative values, the lowest -1, which have no square"),
    ({"channel_axis": 0}, ValueError, r"`image` has shape \(45, 38\); it must be \(\.\.\., H, W\) and its channels"),
    ({"orientations": 0}, ValueError, "`orientations` is 0; it must be at least 1"),
    ({"pixels_per_cell": (8, 0)}, ValueError, "`pixels_per_cell` is 0; it must be at least 1"),
    ({"cells_per_block": (1, 2, 3)}, ValueError, r"`cells_per_block` is \(1, 2, 3\)"),
    ({"block_norm": "L3"}, ValueError, "`block_norm` is 'L3'; it must be one of 'L1', 'L1-sqrt', 'L2', 'L2-Hys'"),
    ({"votes": "soft"}, ValueError, "`votes` is 'soft'; it must be one of 'hard', 'linear', 'trilinear'"),
    ({"transform_sqrt": "no"}, TypeError, "`transform_sqrt` must be True or False, not 'no'"),
    ({"feature_vector": None}, TypeError, "`feature_vector` must be True or False, not None"),
    ({"signed": 1}, TypeError, "`signed` must be True or False, not 1"),
    ({"window_sigma": 8}, ValueError, "`window_sigma` is 8, but hard votes have no window"),
    ({"window_sigma": 0, "votes": "trilinear"}, ValueError, "`window_sigma` is 0; it must be more than 0"),
    ({"window_sigma": "8", "votes": "trilinear"}, TypeError, "`window_sigma` must be a number of pixels, not '8'"),
])
def test_errors(array, kwargs, error, message):
    image = array(np.tile([-1., 1], (45, 19)))
    with pytest.raises(error, match=message):
        hog.hog(image, **kwargs)


def test_opacity_and_other_kinds_are_refused(array):
    with pytest.raises(ValueError, match=r"`image` has 4 channels along axis -1: opacity"):
        hog.hog(array(np.zeros((45, 38, 4))), channel_axis=-1)
    with pytest.raises(ValueError, match=r"`channel_axis` is 3; `image` of shape \(45, 38, 3\) has the axes -3 to 2"):
        hog.hog(array(np.zeros((45, 38, 3))), channel_axis=3)
    with pytest.raises(ValueError, match=r"`image` of shape \(45, 38, 0\) has no channels along axis 2"):
        hog.hog(array(np.zeros((45, 38, 0))), channel_axis=2)
    with pytest.raises(TypeError, match="`image` has dtype complex128"):
        hog.hog(array(np.zeros(SIZE, complex)))
    with pytest.raises(TypeError, match="`image` must be a NumPy array or a torch tensor, not list"):
        hog.hog([[1, 2]])


@pytest.mark.parametrize("votes, norm", [("linear", "L1"), ("linear", "L2-Hys"), ("trilinear", "L2")])
def test_torch_differentiates_shared_votes(votes, norm):
    """So that a picture can be changed until its descriptor is a wanted one."""
    torch = pytest.importorskip("torch")
    image = torch.rand(12, 11, dtype=torch.float64, generator=torch.Generator().manual_seed(0), requires_grad=True)
    assert torch.autograd.gradcheck(lambda x: hog.hog(x, 4, 3, 2, norm, votes=votes), image)


def test_flat_picture_is_zero(array):
    for votes in ("hard", "linear", "trilinear"):
        found = _array.to_numpy(hog.hog(array(np.full(SIZE, 7.)), votes=votes))
        assert found.size and not found.any()


def test_signed_orientations(array, rng):
    """The negative votes half a circle on; folded to 180 degrees, signed votes are the others."""
    image = photo(rng, levels=float)
    down, right = (array(grad) for grad in pixel_gradients(image))

    def count(sign, n, signed):
        return cell_histograms(*pixel_votes(sign * down, sign * right, n, "linear", signed), n)

    cells = count(1, 18, True)
    assert_close(count(-1, 18, True), _array.to_numpy(cells)[..., np.r_[9:18, :9]])
    assert_close(cells[..., :9] + cells[..., 9:], _array.to_numpy(count(1, 9, False)))
    quarter = np.array([[0.0]]), np.array([[-1.0]])  # 180 degrees: no bin of its own without the sign
    assert [pixel_votes(*quarter, 4, signed=signed)[0].item() for signed in (False, True)] == [0, 2]


@pytest.mark.parametrize("votes", ["hard", "linear", "trilinear"])
def test_signed_descriptor_tells_a_picture_from_its_negative(votes):
    edge = np.repeat([[0.0, 1.0]], 8, axis=1).repeat(16, axis=0)
    bright, dark = (hog.hog(x, 18, 8, 2, votes=votes, signed=True) for x in (edge, 1 - edge))
    assert bright @ dark < 1e-9 < 0.99 < bright @ bright
    assert_close(*(hog.hog(x, 18, 8, 2, votes=votes) for x in (edge, 1 - edge)), 1e-6)
