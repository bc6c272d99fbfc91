"""Equal to scikit-image's hog for every option that both have, on random parts of photographs."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cnnlib import _array
from cnnlib.features import hog

skimage = pytest.importorskip("skimage")
pytest.importorskip("skimage.data")

TOLERANCE = 1e-6  # scikit-image rounds each cell's histogram to float32
GREY, COLOUR = ("camera", "coins", "moon", "page", "text", "brick", "grass"), ("astronaut", "coffee", "rocket", "cat")


@st.composite
def crops(draw, names=GREY):
    """A part of a photograph that scikit-image ships, of any size, in a dtype that pictures come in."""
    image = getattr(skimage.data, draw(st.sampled_from(names)))()
    height, width = draw(st.integers(12, 90)), draw(st.integers(12, 90))
    row, col = draw(st.integers(0, image.shape[0] - height)), draw(st.integers(0, image.shape[1] - width))
    image = image[row:row + height, col:col + width]
    dtype = draw(st.sampled_from(["uint8", "float32", "float64"]))
    return image if dtype == "uint8" else (image / 255).astype(dtype)


options = st.fixed_dictionaries({
    "orientations": st.integers(1, 24),
    "pixels_per_cell": st.tuples(st.integers(2, 11), st.integers(2, 11)),
    "cells_per_block": st.tuples(st.integers(1, 4), st.integers(1, 4)),
    "block_norm": st.sampled_from(["L1", "L1-sqrt", "L2", "L2-Hys"]),
    "transform_sqrt": st.booleans(),
    "feature_vector": st.booleans(),
})


def agree(image, tolerance=TOLERANCE, **kwargs):
    """Both give the same numbers in the same dtype, or both refuse the picture."""
    try:
        expected = skimage.feature.hog(image, **kwargs)
    except ValueError as error:
        assert "too small" in str(error)
        with pytest.raises(ValueError, match="need at least"):
            hog.hog(image, **kwargs)
        return
    found = hog.hog(image, **kwargs)
    assert found.dtype == expected.dtype and found.shape == expected.shape
    np.testing.assert_allclose(found, expected, rtol=0, atol=tolerance)


@settings(max_examples=150, deadline=None, derandomize=True)
@given(image=crops(), kwargs=options)
def test_grey(image, kwargs):
    agree(image, **kwargs)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(image=crops(COLOUR), axis=st.integers(-3, 2), kwargs=options)
def test_colour(image, axis, kwargs):
    agree(np.moveaxis(image, -1, axis), channel_axis=axis, **kwargs)


@pytest.mark.parametrize("name", ["camera", "brick", "coins"])
@pytest.mark.parametrize("levels", [1, 255])
def test_defaults_on_whole_photographs(name, levels):
    agree(getattr(skimage.data, name)() / 255 * levels)


@pytest.mark.parametrize("name", ["camera", "grass", "text"])
@pytest.mark.parametrize("n", [4, 8, 12, 18, 36])
def test_whole_photographs_whose_angles_hang_on_a_rounding(name, n):
    """Levels k / 255, of which many a gradient is within a rounding error of 45 or 135 degrees: the end of a bin."""
    image = getattr(skimage.data, name)() / 255
    agree(image, orientations=n)
    agree(np.stack([image, 1 - image, image[:, ::-1]], -1), orientations=n, channel_axis=-1)


@pytest.mark.parametrize("shape", [(24, 24), (25, 31), (64, 33), (128, 64)])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_noise(rng, shape, dtype):
    """Angles that no grid of grey levels favours."""
    agree(rng.standard_normal(shape).astype(dtype))


@pytest.mark.parametrize("n", [2, 4, 8, 12, 28, 36])
def test_angles_on_boundaries(n):
    """Gradients of 0, 45, 90 and 135 degrees, where a bin ends, fall on the same side."""
    row, col = np.indices((48, 48))
    for image in (row, col, row + col, row - col, abs(row - 20) + abs(col - 23), np.minimum(row, col)):
        agree(image, orientations=n)
        agree(-image.astype(float), orientations=n)


def test_lost_vote():
    """What pixel_votes tells of: scikit-image loses the vote of an angle just below 0 degrees, which rounds to 180."""
    image = np.zeros((3, 3))
    image[1] = 0, 0.25, 0.5
    image[0, 1] = 1e-17
    kwargs = {"pixels_per_cell": (3, 3), "cells_per_block": (1, 1), "block_norm": "L1"}
    assert not skimage.feature.hog(image, **kwargs).any()
    np.testing.assert_allclose(hog.hog(image, **kwargs), [1, 0, 0, 0, 0, 0, 0, 0, 0], atol=1e-3)


def test_torch(array, rng):
    """The same numbers from tensors; torch's float32 square root may be off by one unit in the last place."""
    image = skimage.data.camera()[100:190, 200:277]
    for levels, sqrt, tolerance in ((image, True, 1e-6), ((image / 255).astype("float32"), False, 1e-6),
                                    ((image / 255).astype("float32"), True, 1e-5)):
        found = _array.to_numpy(hog.hog(array(levels), transform_sqrt=sqrt))
        np.testing.assert_allclose(found, skimage.feature.hog(levels, transform_sqrt=sqrt), rtol=0, atol=tolerance)
    for levels in (image, (image / 255).astype("float32")):  # in float64 k / 255 hangs on how arctan2 rounds
        for n in (8, 12):
            found = _array.to_numpy(hog.hog(array(levels), n))
            np.testing.assert_allclose(found, skimage.feature.hog(levels, n), rtol=0, atol=1e-6)
