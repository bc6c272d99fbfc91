"""The backward microscope: every gradient is a sum over the paths that used it."""

import numpy as np
from traitlets import Bool, Dict, Enum, Int, Unicode

from cnnlib.plots import _paths
from cnnlib.widgets import _backward, _base, _compose
from cnnlib.widgets._text import full

LARGEST = 8  # rows and columns of what is given
WIDEST = 10  # rows and columns of an output
WORDS = {"kernel_size": "size", "stride": "stride", "padding": "padding", "dilation": "dilation"}


class BackwardMicroscope(_base.CourseWidget):
    """Look at one number of a backward pass: what an output gives, or what an input or a weight collects.

    Cells are named as in a matrix, from 1: X23 is the input in row 2, column 3. ``row`` and ``col`` count from 0.

    Parameters
    ----------
    x : array of shape (H, W), at most 8×8
        For "linear" one row, (1, in_features).
    weight : array of shape (KH, KW), optional
        For the operations that have one; (out_features, in_features) for "linear".
    grad_output : array, optional
        ∂E/∂O, whose cells are called g. Where it has none for an output, or is None, g is 1.
    op : {"conv2d", "conv_transpose2d", "linear", "max_pool2d", "avg_pool2d", "relu"}
    kernel_size : int
        Of pooling.
    stride : int, optional
        None is the operation's own: 1, or the window's size.
    padding, dilation : int, in pixels
        As the operation takes them.
    part : {"grad_output", "grad_x", "grad_weight"}
        Where one looks: "grad_output" scatters, what one output gives; the others gather, what one number collects.
    row, col : int
        The cell of that part.
    so_far : bool
        With "grad_output": show what all outputs up to this one have given together.
    fn_backward : callable, optional
        Your function, ``fn_backward(grad_output, x, weight)``, without the weight where there is none, with arrays of
        two axes; it returns the gradient of x, or a tuple of both. If it has arguments named stride, padding,
        dilation or kernel_size, it is given those.
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
        An array is too large, the weight is missing or of the wrong shape.

    Examples
    --------
    >>> BackwardMicroscope([[1, 2, 3], [4, 5, 6], [7, 8, 9]], [[1, 2], [3, 4]], part="grad_x", row=1, col=1)
    ∂E/∂X22 = F22·g11 + F21·g12 + F12·g21 + F11·g22 = 4·1 + 3·1 + 2·1 + 1·1 = 10
    """

    javascript = "backward_microscope.js"
    positional = ("x", "weight")
    controls = ("part", "so_far", "kernel_size", "stride", "padding", "dilation", "step")
    _esm = _compose.compose(javascript)
    _css = _base.style()

    x = _base.Array(2).tag(sync=True, start=True)
    weight = _base.Array(2).tag(sync=True, start=True)
    grad_output = _base.Array(2).tag(sync=True, start=True)
    op = Enum(_paths.OPS, "conv2d").tag(sync=True, start=True)
    kernel_size = Int(2).tag(sync=True, start=True)
    stride = Int(None, allow_none=True).tag(sync=True, start=True)
    padding = Int(0).tag(sync=True, start=True)
    dilation = Int(1).tag(sync=True, start=True)
    part = Enum(_paths.PARTS, "grad_output").tag(sync=True, start=True)
    row = Int(0).tag(sync=True, start=True)
    col = Int(0).tag(sync=True, start=True)
    so_far = Bool(False).tag(sync=True, start=True)
    grad_x = _base.Array(2)
    grad_weight = _base.Array(2)
    report = Unicode()
    _theirs = Dict(default_value=None, allow_none=True).tag(sync=True)

    def __init__(self, x, weight=None, grad_output=None, *, fn_backward=None, **state):
        super().__init__(x=x, weight=weight, grad_output=grad_output, **state)
        self._check()
        if fn_backward is not None:
            name = getattr(fn_backward, "__name__", "")
            self._extra["fn_backward"] = name if name.isidentifier() else "fn_backward"
            self._tell_code()
        self._fn = fn_backward
        self.observe(self._compute, ["x", "weight", "grad_output", "op", *WORDS])
        self._compute(None)

    def _check(self):
        for name in ("x", "weight"):
            array = getattr(self, name)
            if array is not None and max(array.shape) > LARGEST:
                raise ValueError(f"`{name}` has shape {array.shape}: the microscope shows up to {LARGEST}×{LARGEST} "
                                 "numbers; cnnlib.images.crop cuts a piece out")
        if self.op in _paths.WITH_WEIGHT and self.weight is None:
            raise ValueError(f"`weight` is missing: {self.op} needs one")
        if self.op == "linear" and (len(self.x) != 1 or self.x.shape[1] != self.weight.shape[1]):
            raise ValueError(f"`x` has shape {self.x.shape} and `weight` {self.weight.shape}; linear takes one row, "
                             "(1, in_features), and weights (out_features, in_features)")
        if self.part == "grad_weight" and self.op not in _paths.WITH_WEIGHT:
            raise ValueError(f"`part` is 'grad_weight', but {self.op} has no weight")

    def _compute(self, change):
        if self.problem():
            self.grad_x = self.grad_weight = None
            return
        paths = self.paths()
        self.grad_x, self.grad_weight = paths.backward(self._grad(paths))
        if self._fn is not None:
            told = _backward.compare(self._fn, paths, self._grad(paths))
            self.report = told["words"]
            self._theirs = {**told, "call": (self._theirs or {"call": 0})["call"] + 1}

    def paths(self):
        """Return the library's answers for the present state."""
        arrays = [None if a is None else a.astype(np.float64) for a in (self.x, self.weight)]
        return _paths.Paths(*arrays, self.op, {name: getattr(self, name) for name in WORDS})

    def _grad(self, paths):
        """Return the upstream gradient in the output's shape."""
        grad = np.ones(paths.out.shape)
        if self.grad_output is not None:
            rows, cols = np.minimum(grad.shape, self.grad_output.shape)
            grad[:rows, :cols] = self.grad_output[:rows, :cols]
        return grad

    def problem(self):
        """Return why this state cannot be computed, with its arithmetic and what would work; else None."""
        names = _paths.SETTINGS[self.op]
        for name in names:
            value, least = getattr(self, name), int(name != "padding")
            if value is not None and value < least:
                return f"{WORDS[name]} {full(value)}: the smallest is {least}"
        pools = self.op in _paths.POOLS
        if pools and self.padding > self.kernel_size // 2:
            return f"padding {self.padding}: at most half of the window, here {self.kernel_size // 2}, lies outside"
        if not names:
            return None
        sizes = []
        for axis, where in enumerate(("rows: ", "columns: ")):
            size, taps = self.x.shape[axis], self.kernel_size if pools else self.weight.shape[axis]
            dilation = self.dilation if "dilation" in names else 1
            span, stride = dilation * (taps - 1) + 1, self.stride or (self.kernel_size if pools else 1)
            if self.op == "conv_transpose2d":
                out = (size - 1) * stride + span - 2 * self.padding
                if out < 1:
                    return (f"{where}({size} − 1)·{stride} + {span} − 2·{self.padding} = {full(out)}: "
                            "the padding cuts off everything")
            elif size + 2 * self.padding < span:
                spread = f"{dilation}·({taps} − 1) + 1 = {span}" if dilation > 1 else f"{span}"
                return (f"{where}{size} + 2·{self.padding} < {spread}: the {'window' if pools else 'filter'} "
                        "does not fit")
            else:
                out = (size + 2 * self.padding - span) // stride + 1
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

        if self.problem():
            panels = [(self.x, "X", "input")] + ([] if self.weight is None else [(self.weight, "F", "weight")])
            return panel_figure(panels, self.sentence())
        paths = self.paths()
        if self.predict:
            panels = [(self.x, "X", "input")] + ([] if paths.weight is None else [(self.weight, "F", "weight")])
            panels += [(self._grad(paths), "g", "gradient"), (np.full(self.x.shape, np.nan), "∂E/∂X", "gradient")]
            return panel_figure(panels, self.sentence())
        part, row, col = self._place(paths)
        axes = plots.plot_backward(self.x, self.weight, self._grad(paths), op=self.op, part=part, row=row, col=col,
                                   so_far=self.so_far, **{name: getattr(self, name) for name in WORDS})
        return axes[0].figure
