"""The optimiser race in Python: what it refuses, and that its numbers are the optimisers'."""

import numpy as np
import pytest

pytest.importorskip("anywidget")

from examples import wave

from cnnlib.optim import surfaces, walks
from cnnlib.widgets import OptimiserRace


@pytest.mark.parametrize("name", surfaces.NAMES)
def test_paths_are_the_optimisers(name):
    race, surface = OptimiserRace(name, lr={"sgd": 0.001}, steps=50), surfaces.named(name)
    for k, runner in enumerate(race.runners):
        path = walks.walk(surface.gradient, surface.start, runner, 50, lr=race.rate(runner))
        np.testing.assert_allclose(race.paths[k], path, rtol=1e-10)
        np.testing.assert_allclose(race.losses[k], surface.value(path), rtol=1e-10)


def test_own_surfaces():
    race = OptimiserRace(wave, start=(1, 1))
    assert race.code() == "OptimiserRace(wave, start=(1, 1))" and race.sentence().startswith("Own surface, step 120")
    assert race.landscape.value([0.5, 0.25]) == pytest.approx(wave(0.5, 0.25), abs=1e-3)
    race.surface = "bowl"
    assert race.code() == 'OptimiserRace("bowl", start=(1, 1))'
    wide = OptimiserRace(surfaces.sampled(wave, ((-4, 4), (0, 4)), start=(-3, 3)))
    assert wide.landscape.window == ((-4, 4), (0, 4)) and tuple(wide.paths[0, 0]) == (-3, 3)


def test_the_cliff_of_the_bowl():
    for lr, words in ((0.19, "SGD below 1e−6"), (0.21, "SGD diverged at step 63")):
        assert words in OptimiserRace("bowl", runners=["sgd"], lr={"sgd": lr}, step=300).sentence()


def test_a_hole_is_left_and_no_divergence():
    """A reader's loss that is NaN for w1 > 0: at a finite place there is no loss, and nobody has diverged."""
    race = OptimiserRace(lambda a, b: np.where(a > 0, np.nan, a * a + b * b), start=(-0.5, 0.5), step=300)
    assert "SGD left the surface at step 69, momentum left the surface at step 9" in race.sentence()
    assert "diverged" not in race.sentence() and np.isnan(race.losses[0, 69]) and np.isfinite(race.losses[0, 68])
    race.step = 68
    assert "step 68 of 300: SGD 0.0019, momentum left" in race.sentence()
    race.start = (0.5, 0.5)
    assert "SGD starts without a loss, momentum starts" in race.sentence() and race.picture()


def test_nobody_runs():
    race = OptimiserRace(runners=[])
    assert race.sentence() == "Ravine, kappa 10, step 120 of 300: nobody runs." and race.paths is None
    assert race.picture()


@pytest.mark.parametrize("state, words", [
    ({"surface": "hill"}, "`surface` is 'hill'; it must be one of bowl, ravine"),
    ({"surface": "own"}, "`surface` is 'own'"),
    ({"surface": 3}, "`surface` is 3; it must be one of"),
    ({"surface": surfaces.bowl()}, "`surface` is the bowl; give its name"),
    ({"runners": ["sgd", "newton"]}, "`runners` has 'newton'; it must hold some of sgd"),
    ({"runners": ["sgd", "sgd"]}, "`runners` has 'sgd'; .* each once"),
    ({"lr": {"adam": "fast"}}, "`lr` has 'adam': 'fast'"),
    ({"lr": {"newton": 1.0}}, "`lr` has 'newton': 1.0"),
    ({"look": "newton"}, "`look` is 'newton'"),
    ({"start": (1, 2, 3)}, r"`start` is \(1, 2, 3\); it must be a pair"),
    ({"start": (1, float("nan"))}, "`start` is .*nan.*; it must be a pair of finite numbers"),
])
def test_errors(state, words):
    import traitlets

    with pytest.raises((ValueError, traitlets.TraitError), match=words):
        OptimiserRace(**state)
