"""The backward microscope: every gradient is a sum over the paths that used it."""

import numpy as np
import traitlets
from traitlets import Bool, Dict, Enum, Int, Unicode

from cnnlib.plots import _paths
from cnnlib.widgets import _backward, _base, _compose
from cnnlib.widgets._own import OwnPaths, taken
from cnnlib.widgets._text import full

LARGEST = 8  # rows and columns of what is given
WIDEST = 10  # rows and columns of an output
WORDS = {"kernel_size": "size", "stride": "stride", "padding": "padding", "dilation": "dilation"}
OPS = (*_paths.OPS, "own")
VIEWS = {"scatter": "grad_output", "gather": "grad_x"}


class Padding(traitlets.TraitType):
    """Zeros on each side: a number, or a pair (rows, cols)."""

    info_text = "an int or a pair (rows, cols)"
    default_value = 0

    def validate(self, obj, value):
        pair = isinstance(value, tuple | list) and len(value) == 2
        if not all(type(v) is int for v in (value if pair else [value])):
            raise traitlets.TraitError(f"`padding` is {value!r}; it must be {self.info_text}")
        return tuple(value) if pair else value


class BackwardMicroscope(_base.CourseWidget):
    """Look at one number of a backward pass: what an output gives, or what an input or a weight collects.

    Cells are named as in a matrix, from 1: X23 is the input in row 2, column 3. ``row`` and ``col`` count from 0.

    Parameters
    ----------
    x : array of shape (H, W), or (C, H, W)
        For "linear" one row, (1, in_features). Of more than 8×8 numbers the first 8 rows and columns are shown.
    weight : array of shape (KH, KW), or (C, KH, KW), optional
        For the operations that have one; (out_features, in_features) for "linear".
    grad_output : array, optional
        ∂E/∂O, whose cells are called g; (C, OH, OW) where each channel of x has an output of its own. Where it has none
        for an output, or is None, g is 1.
    op : {"conv2d", "conv_transpose2d", "linear", "max_pool2d", "avg_pool2d", "relu"}
        None is "conv2d", or, with `fn`, "own".
    kernel_size : int
        Of pooling.
    stride : int, optional
        None is the operation's own: 1, or the window's size.
    padding : int or (rows, cols), in pixels
    dilation : int, in pixels
        As the operation takes them.
    part : {"grad_output", "grad_x", "grad_weight"}
        Where one looks: "grad_output" scatters, what one output gives; the others gather, what one number collects.
    view : {"scatter", "gather"}, optional
        The same in one word: part="grad_output", or part="grad_x".
    channel : int
        Of an input with channels, the one that is shown. A convolution adds its channels up, so that each has a
        backward pass of its own, with the same g.
    row, col : int
        The cell of that part.
    so_far : bool
        With "grad_output": show what all outputs up to this one have given together.
    fn : callable, optional
        A layer's function that is none of these operations, ``fn(x)`` or ``fn(x, weight)``: every path is measured by
        central differences. It gets one channel, with two axes or, where it fails with two, four, (N, C, H, W).
    fn_backward : callable, optional
        Your function, ``fn_backward(grad_output, x, weight)``, without the weight where there is none, with as many
        axes; it returns the gradient of x, or a tuple with that of the weight behind it. It is compared with the
        library, or with `fn`. If either has arguments named stride, padding, dilation or kernel_size, it is given
        those.
    **options
        ``size``, ``scale``, ``hide``, ``predict``, as in :class:`CourseWidget`.

    Attributes
    ----------
    grad_x, grad_weight : arrays
        The gradients for the whole of grad_output; None while the settings do not fit, or where there is no weight.
    report : str
        What the comparison with `fn_backward` found.

    Raises
    ------
    ValueError
        The weight is missing or of the wrong shape, there is no such operation, or no such channel.

    Examples
    --------
    >>> BackwardMicroscope([[1, 2, 3], [4, 5, 6], [7, 8, 9]], [[1, 2], [3, 4]], part="grad_x", row=1, col=1)
    ∂E/∂X22 = F22·g11 + F21·g12 + F12·g21 + F11·g22 = 4·1 + 3·1 + 2·1 + 1·1 = 10
    """

    javascript = "backward_microscope.js"
    positional = ("x", "weight")
    controls = ("part", "so_far", "channel", "kernel_size", "stride", "padding", "dilation", "step")
    _esm = _compose.compose(javascript)
    _css = _base.style()

    x = _base.Array(2, 3).tag(sync=True, start=True)
    weight = _base.Array(2, 3).tag(sync=True, start=True)
    grad_output = _base.Array(2, 3).tag(sync=True, start=True)
    op = Enum(OPS, "conv2d").tag(sync=True, start=True)
    kernel_size = Int(2).tag(sync=True, start=True)
    stride = Int(None, allow_none=True).tag(sync=True, start=True)
    padding = Padding().tag(sync=True, start=True)
    dilation = Int(1).tag(sync=True, start=True)
    part = Enum(_paths.PARTS, "grad_output").tag(sync=True, start=True)
    row = Int(0).tag(sync=True, start=True)
    col = Int(0).tag(sync=True, start=True)
    channel = Int(0).tag(sync=True, start=True)
    so_far = Bool(False).tag(sync=True, start=True)
    grad_x = _base.Array(2)
    grad_weight = _base.Array(2)
    report = Unicode()
    _theirs = Dict(default_value=None, allow_none=True).tag(sync=True)
    _own = Dict(default_value=None, allow_none=True).tag(sync=True)
    _own_x = _base.Array(2).tag(sync=True)
    _own_weight = _base.Array(2).tag(sync=True)
    _cut = Unicode().tag(sync=True)

    def __init__(self, x, weight=None, grad_output=None, *, op=None, view=None, fn=None, fn_backward=None, **state):
        if op is not None and op not in OPS:
            raise ValueError(f"`op` is {op!r}; it must be one of {', '.join(_paths.OPS)}, or give the function itself "
                             "as `fn`")
        if op not in ((*_paths.OPS, None) if fn is None else ("own", None)):
            raise ValueError(f"`op` is {op!r}: give the function of an operation that has no name here as `fn`, and "
                             "`op` only without it")
        state["op"] = op or ("conv2d" if fn is None else "own")
        if view is not None:
            state["part"] = _part_of(view, state.get("part"))
        arrays, cut = _cropped(x=x, weight=weight, grad_output=grad_output)
        self._fn, self._given, self._known = fn_backward, fn, None
        super().__init__(**arrays, **state)
        self._check()
        for name, function in (("fn", fn), ("fn_backward", fn_backward)):
            if function is not None:
                own = getattr(function, "__name__", "")
                self._extra[name] = own if own.isidentifier() else name
        if cut:
            self._cut, self._names = cut, {name: name for name in ("x", "weight") if arrays[name] is not None}
        self._tell_code()
        self.observe(self._compute, ["x", "weight", "grad_output", "op", "channel", *WORDS])
        self._compute(None)

    @property
    def view(self):
        """ "scatter" or "gather": whether one looks at an output, or at what collects."""
        return "scatter" if self.part == "grad_output" else "gather"

    @view.setter
    def view(self, view):
        self.part = _part_of(view, self.part if view == "gather" and self.part != "grad_output" else None)

    def _check(self):
        if self.x.ndim == 3 and self.op in ("linear", "own"):
            what = "a function of your own" if self.op == "own" else "linear"
            raise ValueError(f"`x` has shape {self.x.shape}; {what} is shown for two axes")
        if self.x.ndim == 3 and not 0 <= self.channel < len(self.x):
            raise ValueError(f"`channel` is {self.channel}; `x` has channels 0 to {len(self.x) - 1}")
        if self.op in _paths.WITH_WEIGHT and self.weight is not None and (
                self.weight.shape[:-2] != self.x.shape[:-2]):
            needs = "two axes" if self.x.ndim == 2 else f"{len(self.x)} channels, ({len(self.x)}, KH, KW)"
            raise ValueError(f"`weight` has shape {self.weight.shape}; for `x` of shape {self.x.shape} it needs "
                             f"{needs}")
        if self.op in _paths.WITH_WEIGHT and self.weight is None:
            raise ValueError(f"`weight` is missing: {self.op} needs one")
        if self.op == "linear" and (len(self.x) != 1 or self.x.shape[1] != self.weight.shape[1]):
            raise ValueError(f"`x` has shape {self.x.shape} and `weight` {self.weight.shape}; linear takes one row, "
                             "(1, in_features), and weights (out_features, in_features)")
        if self.part == "grad_weight" and self.op not in _paths.WITH_WEIGHT and (
                self.op != "own" or self.weight is None):
            raise ValueError(f"`part` is 'grad_weight', but {self.op} has no weight")

    def _compute(self, change):
        if change is not None and change.name in ("x", "weight") and self._cut:  # edited: no longer what was given
            self._cut, self._names = "", {}
            self._tell_code()
        if change is None or change.name not in ("grad_output", "channel"):
            self._measure()
        if self.problem():
            self.grad_x = self.grad_weight = None
            if self._given is not None and self._fn is not None:
                self.report = "not compared"
                self._theirs = {"words": self.report, "call": (self._theirs or {"call": 0})["call"] + 1}
            return
        paths = self.paths()
        self.grad_x, self.grad_weight = paths.backward(self._grad(paths))
        if self._fn is not None:
            told = _backward.compare(self._fn, paths, self._grad(paths))
            self.report = told["words"]
            self._theirs = {**told, "call": (self._theirs or {"call": 0})["call"] + 1}

    def _settings(self):
        """Return the settings by name; a stride of None is left to the function."""
        return {name: getattr(self, name) for name in WORDS if getattr(self, name) is not None}

    def _measure(self):
        """Find the paths of a function of the reader's own; tell the browser, with what they were measured for."""
        if self._given is None:
            return
        settings = taken(self._given, self._settings())
        arrays = [self._channel(name) for name in ("x", "weight")]
        self._known, words = _backward.called(OwnPaths, _backward.PATIENCE, *arrays, self._given, settings,
                                              theirs=self._given)
        with self.hold_sync():
            if words:
                self._known = None
            else:
                for name, table in (("_own_x", self._known.to_x), ("_own_weight", self._known.to_weight)):
                    setattr(self, name, None if table is None else table.reshape(self._known.out.size, -1))
            names = [name for name in WORDS if name in taken(self._given, dict.fromkeys(WORDS))]
            self._own = {"words": words and f"fn: {words}", "settings": names, "of": self._asked(),
                         "shape": list(self._known.out.shape) if self._known else None,
                         "kinks": self._known.kinks if self._known else {}}

    def _asked(self):
        """Return what the function was asked for, as the page can compare it with what it shows."""
        arrays = [None if a is None else [x if np.isfinite(x) else full(x) for x in a.ravel().tolist()]
                  for a in (self.x, self.weight)]
        return [*arrays, *(getattr(self, name) for name in WORDS)]

    def _channel(self, name):
        """Return an array's channel that is looked at, in double precision."""
        array = getattr(self, name)
        if array is None:
            return None
        return (array if array.ndim == 2 else array[min(max(self.channel, 0), len(array) - 1)]).astype(np.float64)

    def paths(self):
        """Return the library's answers for the present state, or what was measured of `fn`."""
        if self._given is not None:
            return self._known
        return _paths.Paths(self._channel("x"), self._channel("weight"), self.op,
                            {name: getattr(self, name) for name in WORDS})

    def _grad(self, paths):
        """Return the upstream gradient in the output's shape."""
        grad = np.ones(paths.out.shape)
        if self.grad_output is not None:
            given = self._channel("grad_output")
            rows, cols = np.minimum(grad.shape, given.shape)
            grad[:rows, :cols] = given[:rows, :cols]
        return grad

    def problem(self):
        """Return why this state cannot be computed, with its arithmetic and what would work; else None."""
        own = self.op == "own"
        names = self._own["settings"] if own else _paths.SETTINGS[self.op]
        pads = self.padding if isinstance(self.padding, tuple) else (self.padding, self.padding)
        for name in names:
            value, least = min(pads) if name == "padding" else getattr(self, name), int(name != "padding")
            if value is not None and value < least:
                return f"{WORDS[name]} {full(value)}: the smallest is {least}"
        if own and (self._own["words"] or max(self._own["shape"]) <= WIDEST):
            return self._own["words"] or None
        if own:
            rows, cols = self._own["shape"]
            return f"output {rows}×{cols}: at most {WIDEST}×{WIDEST} are shown"
        pools = self.op in _paths.POOLS
        if pools and max(pads) > self.kernel_size // 2:
            return f"padding {max(pads)}: at most half of the window, here {self.kernel_size // 2}, lies outside"
        if not names:
            return None
        sizes = []
        for axis, where in enumerate(("rows: ", "columns: ")):
            size, taps = self.x.shape[axis - 2], self.kernel_size if pools else self.weight.shape[axis - 2]
            padding = pads[axis]
            dilation = self.dilation if "dilation" in names else 1
            span, stride = dilation * (taps - 1) + 1, self.stride or (self.kernel_size if pools else 1)
            if self.op == "conv_transpose2d":
                out = (size - 1) * stride + span - 2 * padding
                if out < 1:
                    return (f"{where}({size} − 1)·{stride} + {span} − 2·{padding} = {full(out)}: "
                            "the padding cuts off everything")
            elif size + 2 * padding < span:
                spread = f"{dilation}·({taps} − 1) + 1 = {span}" if dilation > 1 else f"{span}"
                return (f"{where}{size} + 2·{padding} < {spread}: the {'window' if pools else 'filter'} "
                        "does not fit")
            else:
                out = (size + 2 * padding - span) // stride + 1
                all_places = [{o * stride - padding + dilation * t for t in range(taps)} for o in range(out)]
                if pools and any(not places & set(range(size)) for places in all_places):
                    return f"{where}a window reads nothing but padding; dilation 1 would read more"
            sizes.append(out)
        if max(sizes) > WIDEST:
            return f"output {sizes[0]}×{sizes[1]}: at most {WIDEST}×{WIDEST} are shown"
        return None

    def _place(self, paths):
        """Return the part that is looked at and the cell, moved inside it."""
        part = "grad_x" if self.part == "grad_weight" and paths.weight is None else self.part
        shape = {"grad_output": paths.out, "grad_x": paths.x, "grad_weight": paths.weight}[part].shape
        return part, *(min(max(i, 0), n - 1) for i, n in zip((self.row, self.col), shape))

    def sentence(self):
        """Return what the chosen output gives, or the sum that the chosen number collects."""
        return self._told() + (f" {self._cut}" if self._cut else "")

    def _told(self):
        if trouble := self.problem():
            return f"Refused: {trouble}."
        paths = self.paths()
        part, row, col = self._place(paths)
        grad, name = self._grad(paths), paths.name(part, row, col)
        if self.predict:
            return f"{name} = {full(grad[row, col])} gives to ? inputs." if part == "grad_output" else f"∂E/∂{name} = ?"
        words = _paths.sentence(paths, grad, part, row, col, full)
        if part == "grad_output" and self.so_far:
            words += f" Added up: {paths.name(part, 0, 0)} to {name}."
        return words

    def figure(self):
        """Return the figure of :func:`cnnlib.plots.plot_backward` for the present state."""
        from cnnlib import plots
        from cnnlib.widgets._picture import panel_figure

        x, weight = self._channel("x"), self._channel("weight")
        panels = [(x, "X", "input")] + ([] if weight is None else [(weight, "F", "weight")])
        if self.problem():
            return panel_figure(panels, self.sentence())
        paths = self.paths()
        if self.predict:
            panels = panels if paths.weight is not None else panels[:1]
            panels += [(self._grad(paths), "g", "gradient"), (np.full(x.shape, np.nan), "∂E/∂X", "gradient")]
            return panel_figure(panels, self.sentence())
        part, row, col = self._place(paths)
        axes = plots.backward.plot_paths_back(paths, self._grad(paths), part=part, row=row, col=col, so_far=self.so_far)
        return axes[0].figure


def _part_of(view, part):
    """Return the part that a view looks at: the given one, if it belongs to the view."""
    if view not in VIEWS:
        raise ValueError(f"`view` is {view!r}; it must be 'scatter' or 'gather'")
    if part is not None and (part == "grad_output") != (view == "scatter"):
        raise ValueError(f"`view` is {view!r}, but `part` is {part!r}: give one of them")
    return part or VIEWS[view]


def _cropped(**arrays):
    """Return the arrays, the first rows and columns of large ones, and words that say so."""
    told, found = [], {}
    for name, array in arrays.items():
        found[name] = array
        try:
            shape = np.shape(array)
        except ValueError:  # rows of unequal length, which the trait refuses
            continue
        if name == "grad_output" or len(shape) < 2 or max(shape[-2:]) <= LARGEST:
            continue
        found[name] = np.asarray(array)[..., :LARGEST, :LARGEST]
        rows, cols = found[name].shape[-2:]
        letter = {"x": "X", "weight": "the weight"}[name]
        told.append(f"the first {rows}×{cols} of {letter}, which has {shape[-2]}×{shape[-1]}")
    return found, f"Shown: {' and '.join(told)}." if told else ""
