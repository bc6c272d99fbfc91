"""The network viewer: draw, and watch your own network think."""

import math

import numpy as np
from traitlets import Bool, Dict, Enum, Int, List, Unicode

from cnnlib import activations
from cnnlib.widgets import _base, _compose
from cnnlib.widgets._network import Network, field_of, parts, reads
from cnnlib.widgets._seen import FITS, seen
from cnnlib.widgets._text import full, places, plural
from cnnlib.widgets._untrained import is_untrained
from cnnlib.widgets.shape_builder import Shape

LARGEST = 64  # pixels a side of the pad
SCANS = 64  # pictures to choose from
MAPS, FEW, RODS = 32, 16, 240  # so many maps of a stage are shown; of more, so few at a time; so many units
STATE = ["drawing", "fit", "margin", "grain"]  # what the numbers depend on, and the class for the way back


class NetworkViewer(_base.CourseWidget):
    """Draw on the pad: every map of a network follows, forward or backward, and says what it reads.

    Parameters
    ----------
    model : cnnlib.layers.Module or torch.nn.Module
        A copy of it is made, in evaluation: make the viewer again when the model has learnt more. Where it is a
        Sequential it is opened; activations are shown with the layer before them.
    input_shape : (C, H, W)
        Every channel gets the drawing.
    drawing : array of shape (H, W), optional
        From 0, the paper, to 1; None is an empty pad.
    view : {"flat", "layered"}
        Maps side by side, or one behind the other, as the volumes that they are.
    direction : {"forward", "backward"}
        The numbers themselves, or by how much the score of a class grows with each of them.
    target : int, optional
        The class of the way back; None is the one that the network answers.
    selected : (stage, map, row, column), or nothing
        The unit that is looked at, with its products; stages count from 0, the first one after the input.
    channel : int, optional
        Which map of the stage before has its products shown; the unit's number is the sum over all maps that it reads.
        None is the one whose products have the largest sum, whatever its sign.
    pages : dict of str to int
        Of a stage by its name that has more maps than are shown (16 of 256): how many times to turn the page. Page 0
        holds the strongest, those with the largest numbers; the last page, the silent ones.
    fit : {"drawn", "framed"}
        What the network sees: the drawing as it is, or cut out and enlarged until it fills the frame.
    margin, grain : int, in pixels
        What stays free around a framed drawing; the side of the blocks that are averaged, as in a scan of few pixels.
    contrast : {"stage", "map"}
        One grey scale for all maps of a stage, or one for each map.
    engine : {"auto", "python"}
        Small networks of known layers are computed in the browser, all others, or all, by Python.
    labels : sequence of str
        Names of the classes; none numbers them.
    trained : bool, optional
        False says "random weights" beside the answer. None looks for itself: it says so where every weight still lies
        as Conv2d and Linear, or the course's initializers, first draw it. Of weights that were drawn in another way it
        cannot know.
    scans : array of shape (N, H, W), at most 64, optional
        Pictures to choose from.
    **options
        ``size``, ``hide``, ``predict``, as in :class:`CourseWidget`.

    Attributes
    ----------
    logits : array of shape (K,)
        The scores for what is drawn now.
    computed_by : {"browser", "python"}

    Raises
    ------
    ValueError
        The model does not take such pictures or does not end in a score for each class; an array has another shape.

    Examples
    --------
    >>> from cnnlib import layers
    >>> rng = np.random.default_rng(0)
    >>> net = layers.Sequential(layers.Flatten(), layers.Linear(64, 2, rng=rng))
    >>> NetworkViewer(net, (1, 8, 8), selected=(0, 1, 0, 0))
    Random weights. Nothing is drawn; the biases alone say 1, 51 percent; next 0, 49 percent. fc1, unit 1: −0.05, \
from 64 products and a bias with sum −0.05; reads all of the input; sees 8×8 pixels.
    """

    javascript = "network_viewer.js"
    positional = ("model", "input_shape")
    controls = ("view", "direction", "target", "fit", "contrast", "push", "clear", "scans", "products", "pages")
    _esm = _compose.compose(javascript)
    _css = _base.style() + (_compose.STATIC / "network_viewer.css").read_text(encoding="utf-8")

    input_shape = Shape(default_value=[1, 28, 28]).tag(sync=True, start=True)
    drawing = _base.Array(2).tag(sync=True, start=True)
    view = Enum(["flat", "layered"], "flat").tag(sync=True, start=True)
    direction = Enum(["forward", "backward"], "forward").tag(sync=True, start=True)
    target = Int(None, allow_none=True).tag(sync=True, start=True)
    selected = List(Int()).tag(sync=True, start=True)
    channel = Int(None, allow_none=True).tag(sync=True, start=True)
    pages = Dict().tag(sync=True, start=True)
    fit = Enum(FITS, "framed").tag(sync=True, start=True)
    margin = Int(0).tag(sync=True, start=True)
    grain = Int(1).tag(sync=True, start=True)
    contrast = Enum(["stage", "map"], "stage").tag(sync=True, start=True)
    engine = Enum(["auto", "python"], "auto").tag(sync=True, start=True)
    labels = List(Unicode()).tag(sync=True, start=True)
    trained = Bool(None, allow_none=True).tag(sync=True, start=True)
    scale = Enum(["auto"], "auto").tag(sync=True, start=True)  # no other array is shown here
    _by = Enum(["browser", "python"], "browser").tag(sync=True)
    _fresh = Bool(False).tag(sync=True)
    _stages = List(Dict()).tag(sync=True)
    _weights = _base.Array(1).tag(sync=True)
    _scans = _base.Array(3).tag(sync=True)
    _values = _base.Array(1).tag(sync=True)
    _gradients = _base.Array(1).tag(sync=True)
    _answered = Int(0).tag(sync=True)

    def __init__(self, model, input_shape=(1, 28, 28), *, scans=None, **state):
        network = Network(model, input_shape)
        size = network.input_shape[1:]
        if max(size) > LARGEST:
            raise ValueError(f"`input_shape` is {network.input_shape}: the pad has at most {LARGEST}×{LARGEST} pixels")
        told, weights = network.told()
        by = "browser" if network.known and state.get("engine", "auto") == "auto" else "python"
        state["drawing"] = np.zeros(size) if state.get("drawing") is None else state["drawing"]
        state |= {name: list(state[name]) for name in ("selected", "labels") if name in state}
        super().__init__(input_shape=input_shape, _by=by, _stages=told, _fresh=is_untrained(model),
                         _weights=weights if by == "browser" else np.zeros(1), **state)
        self.model, self._network, self._memory = model, network, {}
        self._check(size)
        self._names["model"] = "model"
        self._scans = self._checked_scans(scans, size)
        self._extra |= {"scans": "scans"} if scans is not None else {}
        self._start = self._start | {"drawing": self._to_json("drawing")}  # a hand changes it
        self._tell_code()
        self.observe(self._compute, [*STATE, "target"])
        self._compute(None)

    def _check(self, size):
        classes = self._network.stages[-1].shape[0]
        if self.drawing.shape != size:
            raise ValueError(f"`drawing` has shape {self.drawing.shape}; the pad has {size}")
        if self.target is not None and not 0 <= self.target < classes:
            raise ValueError(f"`target` is {self.target}; the classes are 0 to {classes - 1}")
        if self.labels and len(self.labels) != classes:
            raise ValueError(f"`labels` are {len(self.labels)}; there are {classes} classes")
        if not 0 <= 2 * self.margin < min(size):
            raise ValueError(f"`margin` is {self.margin}; a frame of {size[0]}×{size[1]} has 0 to "
                             f"{(min(size) - 1) // 2}")
        if self.grain < 1 or any(n % self.grain for n in size):
            raise ValueError(f"`grain` is {self.grain}; it must divide {size[0]} and {size[1]}")
        if self.selected and self._at() is None:
            raise ValueError(f"`selected` is {tuple(self.selected)}; there is no such unit: (stage, map, row, column), "
                             f"with stages 0 to {len(self._network.stages) - 1}")
        last = {stage.name: pages_of(stage.shape) - 1 for stage in self._network.stages}
        for name, page in self.pages.items():
            if name not in last or not isinstance(page, int) or not 0 <= page <= last[name]:
                known = f"pages of {name} are 0 to {last[name]}" if name in last else f"stages are {', '.join(last)}"
                raise ValueError(f"`pages` has {name!r}: {page!r}; the {known}")

    @staticmethod
    def _checked_scans(scans, size):
        if scans is None:
            return None
        scans = np.asarray(scans, np.float32)
        if scans.ndim != 3 or scans.shape[1:] != size or not 1 <= len(scans) <= SCANS:
            raise ValueError(f"`scans` has shape {scans.shape}; it must be (N, {size[0]}, {size[1]}), N at most "
                             f"{SCANS}")
        return scans

    # ---- numbers

    def _picture(self):
        picture = seen(self.drawing, self.fit, self.margin, self.grain)
        return np.broadcast_to(picture, tuple(self.input_shape))

    def _compute(self, change):
        """Forget what was known of another drawing; where Python is the engine, tell the browser the new numbers."""
        if change is None or change.name != "target":
            self._memory = {}
        if self._by == "python":
            with self.hold_sync():
                self._values = np.concatenate([out.ravel() for out in self.outs()])
                self._gradients = np.concatenate([grad.ravel() for grad in self.gradients()])
                self._answered += 1

    def outs(self):
        """Return what comes out of each stage, arrays (C, H, W), for what is drawn now."""
        if "outs" not in self._memory:
            self._memory["outs"] = self._network.forward(self._picture())
        return self._memory["outs"]

    def gradients(self):
        """Return the gradients of the score of the target: of the input, then of what comes out of each stage."""
        if self._target() not in self._memory:
            self._memory[self._target()] = self._network.backward(self._picture(), self._target())
        return self._memory[self._target()]

    @property
    def scans(self):
        return self._scans

    @property
    def computed_by(self):
        return self._by

    @property
    def logits(self):
        return self.outs()[-1].ravel()

    def _shares(self):
        return activations.softmax(self.logits.astype(np.float64), 0)

    def _target(self):
        return int(self.logits.argmax()) if self.target is None else self.target

    def _at(self):
        """Return the selected unit, or None where there is none."""
        if len(self.selected) != 4:
            return None
        stage, *at = self.selected
        stages = self._network.stages
        there = 0 <= stage < len(stages) and all(0 <= i < n for i, n in zip(at, stages[stage].shape))
        return (stage, *at) if there else None

    # ---- words

    def _label(self, k):
        return self.labels[k] if self.labels else str(k)

    def sentence(self):
        """Return the answer, or the selected unit: its number, what it reads and how much of the picture it sees."""
        if self.predict:
            return "Draw, and say what the network will answer."
        return ("" if self._is_trained() else "Random weights. ") + self._told()

    def _is_trained(self):
        return not self._fresh if self.trained is None else self.trained

    def _told(self):
        at = self._at()
        unit = f" {self._unit_words(*at)}" if at else ""
        if broken := self._broken():
            return broken + unit
        if self.direction == "backward":
            target = self._target()
            return f"What changes the score of {self._label(target)}, {_two(self.logits[target])}.{unit}"
        shares = self._shares()
        first, second = np.argsort(-shares, kind="stable")[:2]
        answer = (f"{self._label(first)}, {_percent(shares[first])} percent; next {self._label(second)}, "
                  f"{_percent(shares[second])} percent.")
        blank = "" if (self._picture() != 0).any() else "Nothing is drawn; the biases alone say "
        return blank + answer + unit

    def _broken(self):
        """Say why there is no answer, if some score is not a number; else an empty string."""
        if np.isfinite(self.logits).all():
            return ""
        where = ", ".join(f"{stage.name} ({stage.faults})" for stage in self._network.stages if stage.faults)
        why = f"weights that are NaN or infinite in {where}" if where else "they grew too large on the way"
        return f"The scores are no numbers: {why}."

    def _unit_words(self, number, plane, row, col):
        stages = self._network.stages
        stage, single = stages[number], stages[number].shape[1:] == (1, 1)
        where = f"unit {plane}" if single else f"map {plane}, row {row}, column {col}"
        values = self.gradients()[number + 1] if self.direction == "backward" else self.outs()[number]
        what = "gradient " if self.direction == "backward" else ""
        silent = not single and not what and not values[plane].any()
        words = (f"{stage.name}, {where}: {what}{_two(values[plane, row, col])}"
                 f"{', as everywhere in this silent map' if silent else ''}")
        if not stage.geometry:
            return f"{words}; what it reads is not known."
        before = stages[number - 1].shape if number else tuple(self.input_shape)
        name = stages[number - 1].name if number else "the input"
        rows, cols = reads(stage, before, row, col)
        whole = (rows, cols) == ((0, before[1] - 1), (0, before[2] - 1))
        span = f"all of {name}" if whole else f"{name} rows {places(*rows)}, columns {places(*cols)}"
        field = field_of(stages[:number + 1], self.input_shape, row, col)
        see = f"; sees {'×'.join(str(max(0, last - first + 1)) for first, last in field)} pixels" if field else ""
        made = self._making_words(number, plane, row, col) if self._by == "browser" and not what else ""
        return f"{words}{made}; reads {span}{see}."

    def _making_words(self, number, plane, row, col):
        """Say what makes a unit's number of what it reads."""
        stage, before = self._network.stages[number], self.outs()[number - 1] if number else self._picture()
        values, weights = parts(stage, before, plane, row, col)
        if stage.kind != "conv":
            return f", the {'largest' if stage.kind == 'max' else 'mean'} of {plural(values.size, 'number')}"
        bias = 0 if stage.bias is None else stage.bias[plane]
        total = (values.astype(np.float64) * weights).sum() + bias
        then = "".join(f", then {'rescaled' if name == 'affine' else name.replace('_', ' ')}" for name, _ in stage.then)
        one = ""
        if len(values) > 1 and values.size:
            first = plane // (stage.shape[0] // stage.geometry["groups"]) * len(values)
            sums = (values.astype(np.float64) * weights).sum((1, 2))
            place = (max(range(len(sums)), key=lambda k: abs(sums[k])) if self.channel is None
                     else min(max(self.channel - first, 0), len(values) - 1))
            name = self._network.stages[number - 1].name if number else "the input"
            one = f" ({'unit' if before.shape[1:] == (1, 1) else 'map'} {first + place} of {name}: {_two(sums[place])})"
        return (f", from {plural(values.size, 'product')}{'' if stage.bias is None else ' and a bias'} with sum "
                f"{_two(total)}{one}{then}")

    # ---- picture

    def figure(self):
        """Return the figure of :func:`cnnlib.plots.plot_network` for what is drawn now."""
        from cnnlib import plots

        names = ["input", *(stage.name for stage in self._network.stages)]
        values = [self._picture(), *self.outs()]
        if self.direction == "backward" and not self.predict:
            values = self.gradients()
        chosen = [shown(out, self.pages.get(name, 0)) for name, out in zip(names, [self._picture(), *self.outs()])]
        maps = {name: value[at][:, 0, 0] if value.shape[1:] == (1, 1) else value[at]
                for name, value, at in zip(names, values, chosen)}
        hidden = self.predict
        if hidden:
            maps = {"input": maps["input"]}
        shares = None if hidden or self._broken() else self._shares()
        ax = plots.plot_network(maps, view=self.view, shares=shares,
                                labels=[self._label(k) for k in range(len(self.logits))],
                                role="gradient" if self.direction == "backward" and not hidden else "input")
        ax.set_title(_wrapped(self.sentence()), loc="left", size=10, y=0, va="top", pad=-4)
        return ax.figure


def pages_of(shape):
    """Return how many pages the maps of a stage fill."""
    most, few = (RODS, RODS) if shape[1:] == (1, 1) else (MAPS, FEW)
    return 1 if shape[0] <= most else -(-shape[0] // few)


def shown(value, page=0):
    """Return which maps of a stage are shown: all, or those of a page, counted from the strongest, in their order."""
    pages, few = pages_of(value.shape), RODS if value.shape[1:] == (1, 1) else FEW
    if pages == 1:
        return np.arange(len(value))
    page = min(max(page, 0), pages - 1)
    order = np.argsort(-np.abs(value).max(axis=(1, 2)), kind="stable")  # those that are no numbers last
    return np.sort(order[page * few:(page + 1) * few])


def _wrapped(words):
    import textwrap

    return textwrap.fill(words, 110)


def _two(value):
    """Return a number with at most two decimals."""
    value = float(value)
    return full(math.floor(100 * value + 0.5) / 100 if math.isfinite(value) else value)


def _percent(share):
    return math.floor(100 * float(share) + 0.5)
