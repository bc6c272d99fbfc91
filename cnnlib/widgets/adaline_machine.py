"""The Adaline machine: learning by turning knobs, as in 1960."""

import numpy as np
import traitlets
from traitlets import Enum, Float, Int, List

from cnnlib.widgets import _adaline, _base, _compose
from cnnlib.widgets._adaline import KNOBS, SIDE, TINY, told
from cnnlib.widgets._text import full, plural

REMEMBERED = 600  # turns
RULES = ("adaline", "perceptron")


class Single(Float):
    """A finite number in single precision, as the weights are."""

    def validate(self, obj, value):
        with np.errstate(over="ignore"):
            value = float(np.float32(super().validate(obj, value)))
        if not np.isfinite(value):
            raise traitlets.TraitError(f"`{self.name}` is {value}; it must be a finite number")
        return value


class AdalineMachine(_base.CourseWidget):
    """Sixteen switches, a knob for each and one more, and a meter of their sum: teach it by hand, or let it learn.

    Parameters
    ----------
    inputs : array of shape (4, 4) of −1 and +1, optional
        The switches. None is the first pattern, and `target` its answer.
    weights : array of shape (4, 4), optional
        The knobs; None is 0 for all.
    bias : float
        The knob whose input is always +1.
    target : {1, -1}
        The sum that is wanted.
    rate : float, above 0, at most 1
        Share of the error by which each knob turns: with 1/17 one step corrects the whole error.
    rule : {"adaline", "perceptron"}
        The error is taken before the threshold, or after it.
    patterns : {"letters", "xor"} or dict
        From a name to a text such as "###. .#.. .#.. .#.. +1", or to a pair of a 4×4 picture of 1 and −1 and a target.
    turn : int
        How often the knobs have been turned.
    **options
        ``size``, ``scale``, ``hide``, ``predict``, as in :class:`CourseWidget`.

    Attributes
    ----------
    history : list of (int, float)
        Turn, and the mean squared error over all patterns after it.

    Raises
    ------
    ValueError
        There is no set of patterns of that name, or a pattern is none.

    Examples
    --------
    >>> machine = AdalineMachine()
    >>> machine
    Sum 0, wanted 1: error 1; every knob turns by 0.059. Lamp +1, right. 2 of 6 patterns right, mean squared error 1.
    >>> machine.learn()
    >>> machine
    Sum 1, wanted 1: no error, nothing turns. Lamp +1, right. 4 of 6 patterns right, mean squared error 1.227.
    """

    javascript = "adaline_machine.js"
    controls = ("target", "learn", "rule", "rate", "patterns", "own", "picture", "curve")
    _esm = _compose.compose(javascript)
    _css = _base.style() + (_compose.STATIC / "adaline_machine.css").read_text(encoding="utf-8")

    inputs = _base.Array(2).tag(sync=True, start=True)
    weights = _base.Array(2).tag(sync=True, start=True)
    bias = Single(0.0).tag(sync=True, start=True)
    target = Enum([1, -1], 1).tag(sync=True, start=True)
    rate = Float(1 / KNOBS).tag(sync=True, start=True)
    rule = Enum(RULES, "adaline").tag(sync=True, start=True)
    patterns = _adaline.Patterns().tag(sync=True, start=True)
    turn = Int(0).tag(sync=True, start=True)
    _history = List().tag(sync=True)

    def __init__(self, *, inputs=None, weights=None, **state):
        if inputs is None:
            named = _adaline.Patterns().validate(None, state.get("patterns", "letters"))
            picture, target = _adaline.shown(next(iter(_adaline.texts_of(named).values())))
            inputs = picture.reshape(SIDE, SIDE)
            state.setdefault("target", target)
        weights = np.zeros((SIDE, SIDE)) if weights is None else weights
        super().__init__(inputs=inputs, weights=weights, **state)

    def _default(self, name):
        if name == "inputs":
            return np.float32(_adaline.shown(_adaline.SETS["letters"]["T"])[0].reshape(SIDE, SIDE))
        return np.zeros((SIDE, SIDE), np.float32) if name == "weights" else super()._default(name)

    @traitlets.validate("inputs")
    def _check_inputs(self, proposal):
        value = proposal.value
        if value is None or value.shape != (SIDE, SIDE) or not np.isin(value, (-1, 1)).all():
            raise ValueError(f"`inputs` is {_short(value)}; it must be 4×4 numbers of 1 (on) and -1 (off)")
        return value

    @traitlets.validate("weights")
    def _check_weights(self, proposal):
        value = proposal.value
        if value is None or value.shape != (SIDE, SIDE) or not np.isfinite(value).all():
            raise ValueError(f"`weights` is {_short(value)}; it must be 4×4 finite numbers")
        return value

    @traitlets.validate("target")
    def _check_target(self, proposal):
        return int(proposal.value)  # NumPy's own whole numbers do not travel

    @property
    def knobs(self):
        """Weights in reading order, then the bias: 17 numbers."""
        return np.append(self.weights.ravel(), self.bias).astype(np.float64)

    @property
    def lessons(self):
        """The patterns: pairs of 16 inputs and a target."""
        return [_adaline.shown(text) for text in _adaline.texts_of(self.patterns).values()]

    @property
    def history(self):
        """Turn, and the mean squared error over all patterns after it, up to the present turn."""
        now = (self.turn, _adaline.squared_error(self.knobs, self.lessons))
        past = [tuple(entry) for entry in self._history if entry[0] <= self.turn]
        agrees = past and past[-1][0] == self.turn and abs(past[-1][1] - now[1]) <= 1e-4 * max(1, now[1])
        return past if agrees else [now]

    def right(self):
        """Return for each pattern by name whether the lamp answers it rightly."""
        return {name: _adaline.answer(self.knobs, x) == target
                for name, (x, target) in zip(_adaline.texts_of(self.patterns), self.lessons)}

    def learn(self, times=1):
        """Show the picture on the switches, with the answer wanted, so many times."""
        self._learn([(self.inputs.ravel().astype(np.float64), self.target)] * times)

    def learn_all(self, laps=10):
        """Show all patterns in their order, so many laps."""
        self._learn(self.lessons * laps)

    def _learn(self, shows):
        if trouble := self.problem():
            raise ValueError(f"the machine cannot learn with {trouble}")
        knobs, past, turn = self.knobs, self.history, self.turn
        for x, target in shows:
            moved, _ = _adaline.step(self.rule, knobs, x, target, self.rate)
            if moved is not knobs:
                knobs, turn = moved, turn + 1
                past.append((turn, _adaline.squared_error(knobs, self.lessons)))
        with self.hold_sync():
            self.weights, self.bias = knobs[:-1].reshape(SIDE, SIDE), float(knobs[-1])
            self._history, self.turn = [list(entry) for entry in past[-REMEMBERED:]], turn

    def problem(self):
        """Return why this state cannot learn, and what would work; else None."""
        if not 0 < self.rate <= 1:
            return f"rate {full(self.rate)}: it must be above 0 and at most 1; 1/17 corrects the whole error"
        return None

    def sentence(self):
        """Return the sum, the error and what a turn would do, then how many patterns are answered rightly."""
        if trouble := self.problem():
            return f"Refused: {trouble}."
        if self.predict:
            return f"Sum ?, wanted {full(self.target)}: not yet shown."
        right, names = self.right(), _adaline.texts_of(self.patterns)
        count = f"all {len(right)}" if all(right.values()) else f"{sum(right.values())} of {len(right)}"
        parts = [*self._error_words(), f"{count[0].upper()}{count[1:]} pattern{'s' * (len(right) > 1)} right, mean "
                 f"squared error {told(_adaline.squared_error(self.knobs, self.lessons))}."]
        if _adaline.separable(texts := tuple(names.values())) is False:
            least = f": no knobs get the mean squared error below {told(_adaline.least_error(texts))}"
            end = ": the perceptron never stops" if self.rule == "perceptron" else "" if self._overshoots() else least
            parts.append(f"No weights get all {len(right)} right{end}. It takes more than one Adaline: a Madaline.")
        return " ".join(parts)

    def _error_words(self):
        """Say what the picture on the switches gives, and what one step makes of it."""
        x, knobs = self.inputs.ravel().astype(np.float64), self.knobs
        moved, error = _adaline.step(self.rule, knobs, x, self.target, self.rate)
        lamp, after = _adaline.answer(knobs, x), self.rule == "perceptron"
        opening = f"Sum {told(_adaline.total(knobs, x))}, wanted {full(self.target)}"
        said = f"Lamp {'+1' if lamp > 0 else '−1'}, {'right' if lamp == self.target else 'wrong'}."
        if abs(error) < TINY:
            return [f"{opening}: {'no error after the threshold: ' if after else 'no error, '}nothing turns.", said]
        if moved is knobs:
            return [f"{opening}: the knobs have run away, and turn no further.", said]
        turn = f"every knob turns by {told(abs(self.rate * error))}."
        words = [f"{opening}: error {told(error)}{' after the threshold' if after else ''}; {turn}", said]
        if self._overshoots():
            words.insert(1, "At a rate above 2/17 each turn overshoots, and the error grows.")
        return words

    def _overshoots(self):
        return self.rule == "adaline" and KNOBS * self.rate > 2 + 1e-9

    def figure(self):
        """Return a figure of switches, knobs and meter."""
        from matplotlib import pyplot as plt

        from cnnlib import plots
        from cnnlib.widgets._picture import panel_figure

        knobs = (self.weights, f"knobs; bias {told(self.bias)}", "weight")
        meter = (np.zeros((1, 1)), "meter", "output")  # drawn below
        figure = panel_figure([(self.inputs, "switches", "input"), knobs, meter], self.sentence())
        with plt.style.context(plots.STYLE):
            hidden = self.predict or self.problem()
            sum_now = None if hidden else _adaline.total(self.knobs, self.inputs.ravel().astype(np.float64))
            _draw_meter(figure.axes[2], sum_now, self.target)
        return figure


def _draw_meter(ax, value, target):
    """Draw a scale from −2 to +2 with a needle at `value`, none where it is None, and a mark at `target`."""
    from cnnlib.plots import COLOURS

    def place(x, radius):
        turn = np.pi / 2 - np.clip(x, -2.15, 2.15) * np.pi / 6
        return radius * np.cos(turn), radius * np.sin(turn)

    ax.clear()
    ax.plot(*place(np.linspace(-2, 2, 61), 1), color=COLOURS["charcoal"])
    for x in range(-2, 3):
        ax.plot(*np.transpose([place(x, 0.94), place(x, 1.06)]), color=COLOURS["charcoal"])
        ax.text(*place(x, 1.18), full(x) if x <= 0 else f"+{x}", ha="center", va="center", size=10)
    ax.plot(*place(target, 0.85), marker="v", color=COLOURS["gradient"], markersize=10)
    if value is None:
        ax.text(0, 0.4, "?", ha="center", size=16)
    else:
        ax.plot(*np.transpose([(0, 0), place(value, 0.72)]), color=COLOURS["output"], linewidth=3)
    ax.set(xlim=(-1.35, 1.35), ylim=(-0.15, 1.35), aspect="equal", xticks=[], yticks=[])
    ax.set_title("meter: sum ?" if value is None else f"meter: sum {told(value)}")
    ax.spines[:].set_visible(False)


def _short(value):
    return "None" if value is None else f"an array of shape {value.shape} with {plural(value.size, 'number')}"
