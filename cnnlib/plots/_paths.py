"""Every path by which a gradient goes back through one operation: from which output, through what, to where.

The gradient of a layer's input or weight is a sum over paths. One path leads from one output to one input, or to one
weight, and multiplies by what that number met on the way forward: an input's path by the weight, a weight's path by the
input. Which number that is, is read off the library's own backward functions, fed with numbered cells.
"""

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from cnnlib import activations, conv, linear, pool

OPS = ("conv2d", "conv_transpose2d", "linear", "max_pool2d", "avg_pool2d", "relu")
WITH_WEIGHT = OPS[:3]
POOLS = OPS[3:5]
SETTINGS = {"conv2d": ("stride", "padding", "dilation"), "conv_transpose2d": ("stride", "padding", "dilation"),
            "max_pool2d": ("kernel_size", "stride", "padding", "dilation"),
            "avg_pool2d": ("kernel_size", "stride", "padding"), "linear": (), "relu": ()}
PARTS = ("grad_output", "grad_x", "grad_weight")
LETTERS = {"grad_output": "g", "grad_x": "X", "grad_weight": "F"}


@dataclass
class Paths:
    """One operation on a picture of one channel, and the paths of its backward pass.

    Parameters
    ----------
    x : array of shape (H, W)
        For "linear" one row: (1, in_features).
    weight : array of shape (KH, KW), or None
        For "linear" (out_features, in_features).
    op : one of OPS
    settings : dict
        What `SETTINGS` names for the operation; the rest is ignored.
    """

    x: np.ndarray
    weight: np.ndarray | None
    op: str = "conv2d"
    settings: dict = field(default_factory=dict)

    def __post_init__(self):
        if self.op not in OPS:
            raise ValueError(f"`op` must be one of {', '.join(OPS)}, not {self.op!r}")
        if self.op in WITH_WEIGHT and self.weight is None:
            raise ValueError(f"`weight` is missing: {self.op} needs one")
        if self.op not in WITH_WEIGHT:
            self.weight = None
        if self.op == "linear" and len(self.x) != 1:
            raise ValueError(f"`x` has shape {self.x.shape}; linear takes one row, (1, {self.x.size})")
        self.settings = {name: self.settings[name] for name in SETTINGS[self.op] if name in self.settings}
        if self.settings.get("stride", 1) is None:
            del self.settings["stride"]  # the operation's own: 1, or the window's size

    def forward(self, x):
        """Return the operation's output, (OH, OW)."""
        function = getattr({"linear": linear, "relu": activations}.get(self.op, pool if self.op in POOLS else conv),
                           self.op)
        if self.op in ("linear", "relu"):
            return function(x, self.weight) if self.op == "linear" else function(x)
        weight = () if self.weight is None else (self.weight[None, None],)
        return function(x[None], *weight, **self.settings)[0]

    def backward(self, grad_output, x=None, weight=None):
        """Return (grad_x, grad_weight) by the library; grad_weight is None where there is no weight."""
        x, weight = self.x if x is None else x, self.weight if weight is None else weight
        if self.op == "relu":
            return activations.relu_backward(grad_output, x), None
        if self.op == "linear":
            return linear.linear_backward(grad_output, x, weight)[:2]
        if self.op in POOLS:
            return getattr(pool, f"{self.op}_backward")(grad_output[None], x[None], **self.settings)[0], None
        grads = getattr(conv, f"{self.op}_backward")(grad_output[None], x[None], weight[None, None], **self.settings)
        return grads[0][0], grads[1][0, 0]

    @cached_property
    def out(self):
        return self.forward(self.x)

    @cached_property
    def to_x(self):
        """For each output and each input the factor on the path between them, (OH, OW, H, W): 0 where there is none."""
        return self._table(self.x, self.weight, 0)

    @cached_property
    def to_weight(self):
        """For each output and each weight the factor on the path between them, (OH, OW, KH, KW)."""
        return self._table(self.x, self.weight, 1)

    @cached_property
    def weight_on(self):
        """For each output and each input, which weight the path goes through: its place counted from 1; 0 is none."""
        return self._table(self.x, _numbered(self.weight), 0).astype(int)

    @cached_property
    def input_on(self):
        """For each output and each weight, which input the path goes through: its place counted from 1; 0 is none."""
        return self._table(_numbered(self.x), self.weight, 1).astype(int)

    def _table(self, x, weight, which):
        shape = self.out.shape
        tables = [self.backward(one.reshape(shape), x, weight)[which] for one in np.eye(self.out.size)]
        return np.array(tables).reshape(*shape, *tables[0].shape)

    # ---- in words

    def letter(self, part):
        """Return the letter of a part's cells: g for the output's gradient, X, and F (W in a linear layer)."""
        return "W" if part == "grad_weight" and self.op == "linear" else LETTERS[part]

    def name(self, part, row, col):
        """Return the name of a cell, such as F21: letter, row and column, counted from 1 as in a matrix."""
        shape = {"grad_output": self.out, "grad_x": self.x, "grad_weight": self.weight}[part].shape
        comma = "," if max(shape) > 9 else ""
        return f"{self.letter(part)}{row + 1}{comma}{col + 1}"

    def given(self, row, col):
        """Return what one output gives: {part: [(cell, factor's name, factor), ...]} in reading order."""
        found = {"grad_x": [], "grad_weight": []}
        for u, v in np.argwhere(self._through("grad_x")[row, col]).tolist():
            found["grad_x"].append(((u, v), *self._factor("grad_x", (row, col), (u, v))))
        if self.weight is not None:
            for p, q in np.argwhere(self._through("grad_weight")[row, col]).tolist():
                found["grad_weight"].append(((p, q), *self._factor("grad_weight", (row, col), (p, q))))
        return found

    def collected(self, part, row, col):
        """Return what one input or weight collects: [(output, factor's name, factor), ...] in reading order."""
        outputs = np.argwhere(self._through(part)[:, :, row, col]).tolist()
        return [((i, j), *self._factor(part, (i, j), (row, col))) for i, j in outputs]

    def _through(self, part):
        if self.weight is None:
            return self.to_x
        return self.weight_on if part == "grad_x" else self.input_on

    def _factor(self, part, output, cell):
        """Return the factor on a path as (name, number); the name is empty where there is no weight."""
        place = (*output, *cell)
        if self.weight is None:
            return "", float(self.to_x[place])
        other, array, which = (("grad_weight", self.weight, self.weight_on) if part == "grad_x" else
                               ("grad_x", self.x, self.input_on))
        at = np.unravel_index(which[place] - 1, array.shape)
        return self.name(other, *at), float(array[at])


def _numbered(array):
    return None if array is None else np.arange(1.0, array.size + 1).reshape(array.shape)


# ---- what is shown of a state: the numbers of each gradient, and a sentence


def shown(paths, grad_output, part, row, col, so_far=False):
    """Return (grad_x, grad_weight) as they are drawn: what one output gives, or all outputs up to it, or every one."""
    grad = np.array(grad_output, dtype=float)
    if part == "grad_output":
        at = row * grad.shape[1] + col
        place = np.arange(grad.size).reshape(grad.shape)
        grad = np.where(place <= at if so_far else place == at, grad, 0)
    return paths.backward(grad)


def sentence(paths, grad_output, part, row, col, number):
    """Say what one output gives, or what one input or weight collects. `number` writes a number."""
    grad, name = np.asarray(grad_output), paths.name(part, row, col)
    if part == "grad_output":
        value = float(grad[row, col])
        given = paths.given(row, col)
        said = [f"{name} = {number(value)} {_gives(paths, 'grad_x', given['grad_x'], name, number)}"]
        if paths.weight is not None:
            said.append(f"It {_gives(paths, 'grad_weight', given['grad_weight'], name, number)}")
        return ". ".join(said) + "."
    collected = paths.collected(part, row, col)
    if not collected:
        return f"∂E/∂{name} = 0: no output heard it."
    terms = [_product(factor, value, paths.name("grad_output", *output), number)
             for output, factor, value in collected]
    factors = [_numbers(factor, value, float(grad[output]), number) for output, factor, value in collected]
    total = sum(value * float(grad[output]) for output, _, value in collected)
    middle = f"{_sum(factors)} = " if len(factors) > 1 or "·" in factors[0] else ""
    return f"∂E/∂{name} = {_sum(terms)} = {middle}{number(total)}"


MOST, GIVEN = 9, 4  # terms of a sum, and gifts, that are written out


def _gives(paths, part, given, name, number):
    if not given:
        return f"gives nothing to ∂E/∂{paths.letter(part)}"
    pieces = [f"{_product(factor, value, name, number)} to ∂E/∂{paths.name(part, *cell)}"
              for cell, factor, value in given]
    if len(pieces) > GIVEN:
        pieces = [*pieces[:2], f"{len(pieces) - 3} more", pieces[-1]]
    return "adds " + ", ".join(pieces)


def _product(factor, value, upstream, number):
    """Write a path's term: F22·g11, or where there is no weight g11 or 0.25·g11."""
    if factor:
        return f"{factor}·{upstream}"
    return upstream if value == 1 else f"{_bracket(number(value))}·{upstream}"


def _numbers(factor, value, grad, number):
    if not factor and value == 1:
        return _bracket(number(grad))
    return f"{_bracket(number(value))}·{_bracket(number(grad))}"


def _bracket(text):
    return f"({text})" if text.startswith("−") else text


def _sum(terms):
    if len(terms) > MOST:
        terms = [*terms[:2], f"({len(terms) - 4} more)", *terms[-2:]]
    return " + ".join(terms)
