"""Configurations of a convolution as hypothesis draws them: what every method is held to."""

from dataclasses import dataclass
from math import ceil

import numpy as np
from hypothesis import strategies as st


@dataclass
class Case:
    """One drawn configuration. Sizes are (rows, cols)."""

    n: int
    groups: int
    depth: int
    filters_per_group: int
    size: tuple
    kernel_size: tuple
    stride: tuple
    dilation: tuple
    padding: object
    bias: bool
    library: str
    workspace: int  # bytes: a small one cuts the convolution into pieces
    seed: int

    def zeros(self):
        """Return the padding as ((top, bottom), (left, right)), by the rules of the docstring, not by the code's."""
        if self.padding == "valid":
            return ((0, 0), (0, 0))
        if self.padding == "same":
            sides = []
            for size, k, s, d in zip(self.size, self.kernel_size, self.stride, self.dilation):
                total = max((ceil(size / s) - 1) * s + d * (k - 1) + 1 - size, 0)
                sides.append((total // 2, total - total // 2))
            return tuple(sides)
        if isinstance(self.padding, int):
            return ((self.padding,) * 2,) * 2
        return tuple(p if isinstance(p, tuple) else (p, p) for p in self.padding)

    def arrays(self):
        """Return x, weight, bias (or None) as NumPy arrays."""
        rng = np.random.default_rng(self.seed)
        filters = self.groups * self.filters_per_group
        x = rng.standard_normal((self.n, self.groups * self.depth, *self.size))
        weight = rng.standard_normal((filters, self.depth, *self.kernel_size))
        return x, weight, rng.standard_normal(filters) if self.bias else None

    def settings(self):
        return dict(stride=self.stride, padding=self.padding, dilation=self.dilation, groups=self.groups)


def pairs(low, high):
    return st.tuples(st.integers(low, high), st.integers(low, high))


@st.composite
def cases(draw, winograd=False):
    """Draw a configuration; the image is made large enough for the filter."""
    kernel_size = (3, 3) if winograd else draw(pairs(1, 4))
    stride, dilation = ((1, 1), (1, 1)) if winograd else (draw(pairs(1, 3)), draw(pairs(1, 2)))
    padding = draw(st.one_of(st.integers(0, 3), pairs(0, 3), st.tuples(pairs(0, 3), pairs(0, 3)),
                             st.sampled_from(["valid", "same"])))
    case = Case(
        n=draw(st.integers(1, 3)), groups=draw(st.sampled_from([1, 1, 2, 3])), depth=draw(st.integers(1, 3)),
        filters_per_group=draw(st.integers(1, 3)), size=(0, 0), kernel_size=kernel_size, stride=stride,
        dilation=dilation, padding=padding, bias=draw(st.booleans()),
        library=draw(st.sampled_from(["numpy", "torch"])), workspace=draw(st.sampled_from([2**24, 2**24, 20_000])),
        seed=draw(st.integers(0, 2**32 - 1)))
    zeros = ((0, 0), (0, 0)) if padding == "same" else case.zeros()
    least = [max(d * (k - 1) + 1 - sum(z), 1) for k, d, z in zip(kernel_size, dilation, zeros)]
    case.size = tuple(draw(st.integers(low, low + 6)) for low in least)
    return case
