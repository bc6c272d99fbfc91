"""Walks are what the optimisers do, step by step; rates are what schedules say; what leaves is said to have left."""

import numpy as np
import pytest
from helpers import assert_close

from cnnlib import optim
from cnnlib.layers import Parameter
from cnnlib.optim import surfaces, walks

VALLEY = surfaces.ravine(8)
START = (-1.2, 1.0)


def by_hand(name, steps, lr):
    """The five rules as lecture 33 writes them."""
    w, v, r = np.array(START), np.zeros(2), np.zeros(2)
    path = [w]
    for t in range(1, steps + 1):
        g = VALLEY.gradient(w)
        if name == "sgd":
            move = g
        elif name in ("momentum", "nesterov"):
            v = 0.9 * v + g
            move = v if name == "momentum" else g + 0.9 * v
        elif name == "rmsprop":
            r = 0.99 * r + 0.01 * g * g
            move = g / (np.sqrt(r) + 1e-8)
        else:
            v, r = 0.9 * v + 0.1 * g, 0.999 * r + 0.001 * g * g
            move = v / (1 - 0.9**t) / (np.sqrt(r / (1 - 0.999**t)) + 1e-8)
        w = w - lr * move
        path.append(w)
    return np.array(path)


@pytest.mark.parametrize("name", walks.RULES)
def test_known_values(name):
    assert_close(walks.walk(VALLEY.gradient, START, name, 30, lr=0.03), by_hand(name, 30, 0.03))


@pytest.mark.parametrize("name", walks.RULES)
def test_matches_torch(name):
    torch = pytest.importorskip("torch")
    kind, settings = walks.RULES[name]
    theirs = walks.walk(VALLEY.gradient, torch.tensor(START, dtype=torch.float64), getattr(torch.optim, kind.__name__),
                        30, lr=0.03, **settings)
    assert_close(walks.walk(VALLEY.gradient, START, name, 30, lr=0.03), theirs)


def test_shape_and_settings():
    weights = np.arange(6.0).reshape(2, 3)
    path = walks.walk(lambda w: w, weights, "momentum", 4, lr=0.1, momentum=0.0)
    assert path.shape == (5, 2, 3)
    assert_close(path, weights * 0.9 ** np.arange(5)[:, None, None])
    assert (weights == np.arange(6.0).reshape(2, 3)).all()  # the start is not written


def test_noise_is_added_to_each_slope(rng):
    noise = rng.normal(size=(3, 2))
    path = walks.walk(lambda w: 0 * w, [0, 0], "sgd", 3, noise=noise, lr=0.5)
    assert_close(path[1:], -0.5 * noise.cumsum(axis=0))


@pytest.mark.parametrize("lr, gone", [(0.19, None), (0.21, 63)])
def test_diverged(lr, gone):
    path = walks.walk(surfaces.bowl(10).gradient, START, "sgd", 300, lr=lr)
    assert walks.diverged_at(path, surfaces.bowl().window) == gone
    if gone:
        assert abs(path[gone]).max() > 400 >= abs(path[gone - 1]).max()


def test_what_is_no_number_has_left():
    path = walks.walk(surfaces.rosenbrock().gradient, START, "sgd", 50, lr=0.1)
    assert not np.isfinite(path[-1]).any()
    assert walks.diverged_at(path, surfaces.rosenbrock().window) < 10


@pytest.mark.parametrize("start, rule, hole", [
    ((-0.5, 0.5), "sgd", 10), ((-0.5, 0.5), "adam", 6), ((0.5, 0), "sgd", 0)])
def test_who_comes_to_a_hole_has_left_the_surface(start, rule, hole):
    surface = surfaces.sampled(lambda a, b: (a - 1) ** 2 + b * b if a <= 0 else float("nan"))
    path = walks.walk(surface.gradient, start, rule, 100, lr=0.02 if rule == "sgd" else 0.1)
    assert walks.left_at(path, surface.value(path), surface.window) == hole
    assert np.isfinite(surface.value(path)[:hole]).all() and np.isnan(surface.value(path)[hole])


def test_who_diverges_has_not_left_the_surface():
    for surface, lr in ((surfaces.rosenbrock(), 0.1), (surfaces.bowl(10), 0.3)):
        path = walks.walk(surface.gradient, START, "sgd", 5000, lr=lr)
        with np.errstate(all="ignore"):
            losses = surface.value(path)
        assert np.isnan(losses).any() and walks.left_at(path, losses, surface.window) is None


def test_rates():
    found = walks.rates(lambda o: optim.CosineAnnealingLR(o, 4), 0.2, 5)
    assert_close(found, 0.1 * (1 + np.cos(np.pi * np.arange(5) / 4)))
    optimizer = optim.SGD([Parameter(np.zeros(1))], lr=0.2)
    schedule = optim.OneCycleLR(optimizer, 0.2, 7, cycle_momentum=False)
    seen = [optimizer.param_groups[0]["lr"]]
    for _ in range(6):
        schedule.step()
        seen.append(optimizer.param_groups[0]["lr"])
    assert_close(walks.rates(lambda o: optim.OneCycleLR(o, 0.2, 7, cycle_momentum=False), 0.2, 7), np.array(seen))


@pytest.mark.parametrize("path, steps", [([[8.0], [4.0], [2.0], [1.0]], 2), ([[8.0], [1.0], [4.0], [1.0]], 3),
                                         ([[8.0], [7.0]], None), ([[8.0], [np.nan]], None)])
def test_steps_until(path, steps):
    assert walks.steps_until(np.array(path), 1 / 4) == steps


def test_errors():
    with pytest.raises(ValueError, match="`rule` is 'newton'; it must be one of sgd, momentum"):
        walks.walk(VALLEY.gradient, START, "newton", lr=0.1)
