"""The optimiser race: the same slope, five ways to walk it."""

import numpy as np
import traitlets
from traitlets import Dict, Float, Int, List, Unicode

from cnnlib.optim import surfaces, walks
from cnnlib.widgets import _base, _compose
from cnnlib.widgets._text import full

MOST = 1000  # steps
RUNNERS = {"sgd": "SGD", "momentum": "momentum", "nesterov": "Nesterov", "rmsprop": "RMSProp", "adam": "Adam"}
SURFACES = {"bowl": "bowl, kappa {}", "ravine": "ravine, kappa {}", "rosenbrock": "Rosenbrock", "saddle": "saddle",
            "two valleys": "two valleys", "own": "own surface"}
RATES = dict.fromkeys(RUNNERS, 0.02) | {"adam": 0.1}
STEEP_RATES = dict.fromkeys(RUNNERS, 0.001) | {"rmsprop": 0.02, "adam": 0.1}  # for Rosenbrock's walls
NOTHING = 1e-6  # what is smaller is rounding


class Point(traitlets.TraitType):
    """A point (w1, w2), or None for the surface's own start."""

    info_text = "a pair of finite numbers, (w1, w2), or None"
    default_value = None

    def validate(self, obj, value):
        if value is None:
            return None
        if isinstance(value, tuple | list) and len(value) == 2 and all(_is_number(x) for x in value):
            return tuple(float(x) for x in value)
        raise traitlets.TraitError(f"`{self.name}` is {value!r}; it must be {self.info_text}")


class OptimiserRace(_base.CourseWidget):
    """Let several optimisers walk down one loss of two weights from the same start.

    Parameters
    ----------
    surface : {"ravine", "bowl", "rosenbrock", "saddle", "two valleys"}, or callable, or Surface
        A callable takes (w1, w2) and is sampled on 129×129 points of ±2, with straight lines between
        (:func:`cnnlib.optim.surfaces.sampled` does it for another window).
    start : (float, float), optional
        None is the surface's own.
    runners : sequence of {"sgd", "momentum", "nesterov", "rmsprop", "adam"}
    lr : dict of runner to float
        Learning rates other than the surface's usual ones.
    steps : int, 1 to 1000
    step : int
        Where on their ways they are shown.
    noise : float
        Deviation of what is added to both slopes at each step, the same for all runners.
    seed : int
        Of the noise.
    kappa : float
        The ratio of the curvatures of bowl and ravine.
    look : str
        The runner whose step is taken apart, or "".
    **options
        ``size``, ``scale``, ``hide``, ``predict``, as in :class:`CourseWidget`.

    Attributes
    ----------
    paths : array of shape (runners, steps + 1, 2)
    losses : array of shape (runners, steps + 1)
        Both None while the state cannot be computed.
    landscape : cnnlib.optim.surfaces.Surface

    Raises
    ------
    ValueError
        There is no surface, or no runner, of that name.

    Examples
    --------
    >>> OptimiserRace("bowl", runners=["sgd", "momentum"], step=60)
    Bowl, kappa 10, step 60 of 300: momentum 0.0067, SGD 0.0637.
    """

    javascript = "optimiser_race.js"
    positional = ("surface",)
    controls = ("surface", "kappa", "lr", "runners", "steps", "step", "noise", "play")
    _esm = _compose.compose(javascript)
    _css = _base.style()

    surface = Unicode("ravine").tag(sync=True, start=True)
    start = Point().tag(sync=True, start=True)
    runners = List(Unicode(), [*RUNNERS]).tag(sync=True, start=True)
    lr = Dict().tag(sync=True, start=True)
    steps = Int(300).tag(sync=True, start=True)
    step = Int(120).tag(sync=True, start=True)
    noise = Float(0.0).tag(sync=True, start=True)
    seed = Int(0).tag(sync=True, start=True)
    kappa = Float(10.0).tag(sync=True, start=True)
    look = Unicode("").tag(sync=True, start=True)
    _samples = _base.Array(2).tag(sync=True)
    _window = List().tag(sync=True)
    _own_start = List().tag(sync=True)
    _draws = _base.Array(2).tag(sync=True)

    def __init__(self, surface="ravine", **state):
        own, name = _own(surface)
        if own is not None:
            state |= {"_samples": own.value.values, "_window": [list(side) for side in own.window],
                      "_own_start": list(own.start)}
        self._own_name = name
        super().__init__(surface="own" if own is not None else surface, _draws=_noise(state.get("seed", 0)),
                         **{key: list(value) if key == "runners" else value for key, value in state.items()})
        self.observe(lambda change: setattr(self, "_draws", _noise(change["new"])), "seed")

    @traitlets.validate("surface")
    def _check_surface(self, proposal):
        if proposal.value not in SURFACES or (proposal.value == "own" and self._samples is None):
            raise ValueError(f"`surface` is {proposal.value!r}; it must be one of {', '.join(surfaces.NAMES)}, or a "
                             "function of two weights")
        return proposal.value

    @traitlets.validate("runners")
    def _check_runners(self, proposal):
        for name in proposal.value:
            if name not in RUNNERS or proposal.value.count(name) > 1:
                raise ValueError(f"`runners` has {name!r}; it must hold some of {', '.join(RUNNERS)}, each once")
        return proposal.value

    @traitlets.validate("lr")
    def _check_lr(self, proposal):
        for name, rate in proposal.value.items():
            if name not in RUNNERS or not _is_number(rate):
                raise ValueError(f"`lr` has {name!r}: {rate!r}; it must give a number to some of {', '.join(RUNNERS)}")
        return proposal.value

    @traitlets.validate("look")
    def _check_look(self, proposal):
        if proposal.value and proposal.value not in RUNNERS:
            raise ValueError(f"`look` is {proposal.value!r}; it must be '' or one of {', '.join(RUNNERS)}")
        return proposal.value

    def _tell_code(self):
        if self._own_name:
            self._names = {"surface": self._own_name}
        super()._tell_code()

    def _written(self, name):
        if name == "surface" and self.surface != "own":
            return f'"{self.surface}"'
        return super()._written(name)

    @property
    def landscape(self):
        """The surface that is walked on."""
        if self.surface != "own":
            return surfaces.named(self.surface, self.kappa)
        return surfaces.from_samples(self._samples, tuple(map(tuple, self._window)), tuple(self._own_start))

    def rate(self, runner):
        """Return a runner's learning rate."""
        return self.lr.get(runner, (STEEP_RATES if self.surface == "rosenbrock" else RATES)[runner])

    def problem(self):
        """Return why this state cannot be computed, and what would work; else None."""
        if not 1 <= self.steps <= MOST:
            return f"steps {full(self.steps)}: from 1 to {MOST}"
        if not 0 < self.kappa < np.inf:
            return f"kappa {full(self.kappa)}: it must be above 0"
        if not 0 <= self.noise < np.inf:
            return f"noise {full(self.noise)}: the smallest is 0"
        for name in self.runners:
            if not 0 < self.rate(name) < np.inf:
                return f"lr {full(self.rate(name))} of {RUNNERS[name]}: it must be above 0"
        return None

    @property
    def paths(self):
        """Where each runner stands before the first step and after each."""
        if self.problem() or not self.runners:
            return None
        landscape = self.landscape
        start = landscape.start if self.start is None else self.start
        noise = self.noise * self._draws[:self.steps].astype(np.float64)
        return np.stack([walks.walk(landscape.gradient, start, name, self.steps, noise=noise, lr=self.rate(name))
                         for name in self.runners])

    @property
    def losses(self):
        """The loss at each place of the paths."""
        paths = self.paths
        with np.errstate(all="ignore"):  # where a runner has left for infinity
            return None if paths is None else self.landscape.value(paths)

    def sentence(self):
        """Return how far each runner has come at this step, the lowest loss first."""
        if trouble := self.problem():
            return f"Refused: {trouble}."
        words = SURFACES[self.surface].format(full(self.kappa))
        at, paths = min(max(self.step, 0), self.steps), self.paths
        opening = f"{words[0].upper()}{words[1:]}, step {at} of {self.steps}"
        if paths is None:
            return f"{opening}: nobody runs."
        if self.predict:
            return f"{opening}: not yet shown."
        losses, window = self.losses, self.landscape.window
        told = [_standing(path, loss, at, window) for path, loss in zip(paths, losses)]
        order = sorted(range(len(told)), key=lambda k: told[k][0])  # stable: equals as they stand
        standings = ", ".join(f"{RUNNERS[self.runners[k]]} {told[k][1]}" for k in order)
        return f"{opening}: {standings}.{self._look_words(paths, at)}"

    def _look_words(self, paths, at):
        """Say what the runner that is looked at does next."""
        if self.look not in self.runners or at >= self.steps:
            return ""
        path = paths[self.runners.index(self.look)]
        gone = walks.diverged_at(path[:at + 2], self.landscape.window)
        if gone is not None:
            return ""
        slope, move = self.landscape.gradient(path[at]), path[at + 1] - path[at]
        return f" {RUNNERS[self.look]} at {_pair(path[at])}: slope {_pair(slope)}, next step {_pair(move)}."

    def figure(self):
        """Return a figure of the paths up to this step."""
        from cnnlib import plots

        landscape, hidden = self.landscape if self.kappa > 0 else surfaces.bowl(), self.problem() or self.predict
        start = landscape.start if self.start is None else self.start
        paths = {} if hidden or not self.runners else {
            RUNNERS[name]: path for name, path in zip(self.runners, self.paths)}
        title = self.sentence() if self.problem() else f"step {min(max(self.step, 0), self.steps)}, not yet shown"
        at = min(max(self.step, 0), self.steps)
        return plots.plot_paths(landscape, paths, start=start, step=at,
                                title=title if hidden else f"step {at} of {self.steps}").figure


def _own(surface):
    """Return somebody's own surface and the name by which code calls it, or (None, None)."""
    if isinstance(surface, str):
        return None, None
    if isinstance(surface, surfaces.Surface):
        if not hasattr(surface.value, "values"):
            raise ValueError(f"`surface` is the {surface.name}; give its name, or a surface of your own")
        return surface, "surface"
    if not callable(surface):
        raise ValueError(f"`surface` is {surface!r}; it must be one of {', '.join(surfaces.NAMES)}, or a function of "
                         "two weights")
    return surfaces.sampled(surface), getattr(surface, "__name__", "function").replace("<lambda>", "function")


def _noise(seed):
    """Return the draws that all runners share."""
    return np.random.default_rng(seed).standard_normal((MOST, 2))


def _standing(path, losses, at, window):
    """Return how a runner ranks and what is said of it."""
    path, losses, loss = path[:at + 1], losses[:at + 1], losses[at]
    left, gone = walks.left_at(path, losses, window), walks.diverged_at(path, window)
    if left is not None:
        return (2, -left), f"left the surface at step {left}" if left else "starts without a loss"
    if gone is not None:
        return (2, -gone), f"diverged at step {gone}"
    if not np.isfinite(loss):
        return (1, 0), "without a loss"
    if abs(loss) < NOTHING:
        return (0, 0), "below 1e−6"
    return (0, float(loss)), full(loss)


def _pair(point):
    return f"({', '.join(full(0 if abs(x) < NOTHING else x) for x in point)})"


def _is_number(x):
    return isinstance(x, int | float | np.floating | np.integer) and not isinstance(x, bool) and np.isfinite(x)
