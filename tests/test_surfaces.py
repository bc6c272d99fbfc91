"""Surfaces have the gradients that they say, their minima, and a face for somebody's own function."""

import numpy as np
import pytest
from helpers import assert_close

from cnnlib.optim import surfaces

ALL = [surfaces.named(name, kappa=7) for name in surfaces.NAMES]
every = pytest.mark.parametrize("surface", ALL, ids=surfaces.NAMES)


def wave(w1, w2):
    return np.sin(2 * w1) * w2 + 0.3 * w1 * w1


OWN = surfaces.sampled(wave, ((-2, 2), (-1, 2)))


@pytest.mark.parametrize("surface", [*ALL, OWN], ids=[*surfaces.NAMES, "own"])
def test_shape(surface, rng):
    w = rng.uniform(-1, 1, (3, 4, 2))
    assert surface.value(w).shape == (3, 4) and surface.gradient(w).shape == (3, 4, 2)
    assert np.shape(surface.value(w[0, 0])) == () and surface.gradient(w[0, 0]).shape == (2,)
    (left, right), (bottom, top) = surface.window
    assert left < surface.start[0] < right and bottom < surface.start[1] < top


@every
def test_gradient(surface, rng):
    w, step = rng.uniform(-1.5, 1.5, (50, 2)), 1e-6 * np.eye(2)
    measured = [(surface.value(w + d) - surface.value(w - d)) / 2e-6 for d in step]
    np.testing.assert_allclose(surface.gradient(w), np.stack(measured, axis=-1), rtol=1e-6, atol=1e-6)


@every
def test_minima(surface, rng):
    for minimum in surface.minima:
        assert np.abs(surface.gradient(minimum)).max() < 2e-6
        around = np.array(minimum) + 0.05 * rng.normal(size=(40, 2))
        assert (surface.value(around) > surface.value(minimum)).all()


@pytest.mark.parametrize("kappa", [0.5, 1, 10, 300])
def test_curvatures(kappa):
    for make in (surfaces.bowl, surfaces.ravine):
        hessian = make(kappa).gradient(np.eye(2))
        assert_close(np.linalg.eigvalsh(hessian), np.array(sorted([1.0, kappa])))
    along = np.array([2, -1]) / 5**0.5
    assert_close(surfaces.ravine(kappa).gradient(along), along)


def test_known_values():
    assert surfaces.rosenbrock().value([-1.2, 1.0]) == pytest.approx(24.2)
    assert surfaces.saddle().value([0, 0]) == 0.25 and not surfaces.saddle().gradient([0, 0]).any()
    left, right = (surfaces.two_valleys().value(place) for place in surfaces.two_valleys().minima)
    assert right < 0.1 < 0.4 < left  # the narrow one is the deep one


def test_own_surface_is_right_at_its_samples_and_near_between(rng):
    (left, right), (bottom, top) = OWN.window
    assert OWN.value.values.shape == (surfaces.GRID, surfaces.GRID)
    assert OWN.value([left, top]) == pytest.approx(wave(left, top)) == pytest.approx(OWN.value.values[-1, 0])
    assert OWN.value([right, bottom]) == pytest.approx(OWN.value.values[0, -1])
    w = np.stack([rng.uniform(left, right, 200), rng.uniform(bottom, top, 200)], axis=-1)
    np.testing.assert_allclose(OWN.value(w), wave(*w.T), atol=2e-3)
    slopes = np.stack([2 * np.cos(2 * w[:, 0]) * w[:, 1] + 0.6 * w[:, 0], np.sin(2 * w[:, 0])], axis=-1)
    inside = (np.abs(w - (0, 0.5)) < (1.9, 1.4)).all(axis=1)
    np.testing.assert_allclose(OWN.gradient(w)[inside], slopes[inside], atol=1e-2)


def test_own_surface_beyond_its_rim_and_with_a_hole():
    assert OWN.value([9, 9]) == OWN.value([2, 2]) and np.isnan(OWN.value([np.nan, 0]))
    holed = surfaces.sampled(lambda a, b: np.sqrt(a) + b * b)
    assert np.isnan(holed.value([-1, 0])) and np.isfinite(holed.value([1, 0]))


def test_own_function_of_single_numbers():
    def bent(w1, w2):
        return abs(w1) if w1 > w2 else w2 * w2

    assert surfaces.sampled(bent).value([1.5, 0.5]) == 1.5


def test_errors():
    with pytest.raises(ValueError, match=r"`w` has shape \(3,\)"):
        surfaces.bowl().value([1, 2, 3])
    with pytest.raises(ValueError, match="`kappa` is -1"):
        surfaces.ravine(-1)
    with pytest.raises(ValueError, match="no surface 'hill'; there are bowl, ravine"):
        surfaces.named("hill")
    with pytest.raises(ValueError, match=r"`values` has shape \(2, 9\)"):
        surfaces.from_samples(np.zeros((2, 9)), ((0, 1), (0, 1)))
