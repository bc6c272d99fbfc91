"""Photographs and crops of them, in grey, for the tests of features: none was used to tune anything."""

import numpy as np
import pytest

from cnnlib import data, images

PHOTOS = ("camera", "astronaut", "brick", "coffee", "text")


def photo(name):
    """Return a photograph in grey, float64 in [0, 1]."""
    return images.to_grey(data.photo(name))


def crops(count=6, seed=0):
    """Return crops of random places and odd sizes, of any photograph."""
    rng = np.random.default_rng(seed)
    found = []
    for number in range(count):
        whole = photo(PHOTOS[number % len(PHOTOS)])
        height, width = rng.integers(3, 120, 2)
        row, col = rng.integers(0, whole.shape[0] - height), rng.integers(0, whole.shape[1] - width)
        found.append(whole[row:row + height, col:col + width])
    return found


def photos_and_crops():
    """Return whole photographs, then crops."""
    return [photo(name) for name in PHOTOS] + crops()


def library(name):
    """Return a library that only comparisons need, or skip the test."""
    return pytest.importorskip(name)
