"""What LeNet-5 of 1998 had and later nets had not: learnt subsampling, a table of connections, and distances.

References
----------
.. [1] LeCun, Bottou, Bengio & Haffner, Gradient-based learning applied to document recognition,
   Proc. IEEE 86(11), 1998, section II.B. doi:10.1109/5.726791
"""

from math import prod

import numpy as np

from cnnlib import _array, pool
from cnnlib._array import as_dtype, dtype_name, working
from cnnlib.conv import conv2d, conv2d_backward
from cnnlib.geometry import as_int, as_pair
from cnnlib.layers._module import Buffer, Module, Parameter


class _Drawn(Module):
    """A layer whose weight and bias have limits of their own."""

    def _make(self, rng):
        self.weight, self.bias = (Parameter(values) for values in self._first(rng))

    def _draw(self, rng):
        for parameter, values in zip((self.weight, self.bias), self._first(rng)):
            parameter.set(values)

    def _first(self, rng):
        """Return a weight and a bias, each number evenly from ± 1 / √(the numbers that its output sums)."""
        rng = np.random.default_rng() if rng is None else rng
        weight_shape, weight_fans, bias_fans = self._fans()
        weight = rng.uniform(-1, 1, weight_shape) / np.sqrt(weight_fans)
        return weight.astype("float32"), (rng.uniform(-1, 1, bias_fans.shape) / np.sqrt(bias_fans)).astype("float32")


class Subsample2d(_Drawn):
    """The sum of each window, times a number, plus a number, both learnt: one pair for each channel.

    Parameters
    ----------
    channels : int
    kernel_size : int or (rows, cols), in pixels
        Windows stand side by side.
    rng : np.random.Generator, optional

    Attributes
    ----------
    weight, bias : Parameter of shape (channels,)
    """

    def __init__(self, channels, kernel_size=2, *, rng=None):
        self.channels, self.kernel_size = as_int("channels", channels, 1), as_pair("kernel_size", kernel_size, 1)
        self.stride, self.padding = self.kernel_size, 0
        self._make(rng)

    def _fans(self):
        fans = np.full(self.channels, prod(self.kernel_size))
        return fans.shape, fans, fans

    def forward(self, x):
        check_channels(x.shape, self.channels)
        sums = pool.avg_pool2d(x, self.kernel_size) * prod(self.kernel_size)
        self.keep(x, sums)
        return sums * self.weight.data[:, None, None] + self.bias.data[:, None, None]

    def backward(self, grad_output):
        x, sums = self.kept()
        dtype, grads = dtype_name(x), working(grad_output)
        axes = tuple(axis for axis in range(x.ndim) if axis != x.ndim - 3)
        self.add_gradients(weight=as_dtype((grads * working(sums)).sum(axis=axes), dtype),
                           bias=as_dtype(grads.sum(axis=axes), dtype))
        grad_sums = grad_output * self.weight.data[:, None, None] * prod(self.kernel_size)
        return pool.avg_pool2d_backward(grad_sums, x, self.kernel_size)

    def extra_repr(self):
        return f"{self.channels}, kernel_size={self.kernel_size}"


class TableConv2d(_Drawn):
    """A convolution in which each map sees only some channels: those that its row of a table names.

    Parameters
    ----------
    table : sequence of sequences of int
        For each output map the channels that it sees.
    kernel_size : int or (rows, cols), in pixels
    rng : np.random.Generator, optional

    Attributes
    ----------
    weight : Parameter of shape (connections, KH, KW)
        One kernel for each entry of the table, row after row.
    bias : Parameter of shape (len(table),)

    Examples
    --------
    >>> TableConv2d([(0, 1), (1,), (0, 2)], kernel_size=5).weight.shape
    (5, 5, 5)
    """

    def __init__(self, table, kernel_size, *, rng=None):
        self.table, self.kernel_size = as_table(table), as_pair("kernel_size", kernel_size, 1)
        self.in_channels, self.out_channels = 1 + max(map(max, self.table)), len(self.table)
        self.stride, self.padding, self.dilation, self.groups = (1, 1), 0, (1, 1), 1
        self._make(rng)

    def _fans(self):
        of_maps = np.array([len(row) for row in self.table]) * prod(self.kernel_size)
        of_kernels = np.array([of_maps[row] for row in entries(self.table)[0]])
        return (*of_kernels.shape, *self.kernel_size), of_kernels[:, None, None], of_maps

    def _dense(self):
        """Return the weight of a whole convolution, with zeros where the table names no connection."""
        weight = _array.zeros((self.out_channels, self.in_channels, *self.kernel_size), self.weight.data)
        weight[entries(self.table)] = self.weight.data
        return weight

    def forward(self, x):
        self.keep(x)
        return conv2d(x, self._dense(), self.bias.data)

    def backward(self, grad_output):
        x, = self.kept()
        grad_x, grad_weight, grad_bias = conv2d_backward(grad_output, x, self._dense(), self.bias.data)
        self.add_gradients(weight=grad_weight[entries(self.table)], bias=grad_bias)
        return grad_x

    def extra_repr(self):
        return (f"{self.in_channels}, {self.out_channels}, {len(entries(self.table)[0])} kernels of {self.kernel_size}")


class RBF(Module):
    """Minus the squared distance of x from each of some centres: the largest output belongs to the nearest.

    Parameters
    ----------
    centres : array of shape (num_classes, in_features)
        LeNet-5's were pictures of the ten digits, 7 x 12 pixels of -1 and 1; they are not learnt.

    Attributes
    ----------
    centres : Buffer of that shape
    """

    def __init__(self, centres):
        if np.ndim(centres) != 2:
            raise ValueError(f"`centres` has shape {tuple(np.shape(centres))}; it must be (num_classes, in_features)")
        self.centres = Buffer(np.array(centres, dtype="float32"))

    def forward(self, x):
        check_features(x.shape, self.centres.data.shape)
        self.keep(x)
        difference = working(x)[:, None] - working(self.centres.data)
        return as_dtype(-(difference * difference).sum(axis=2), dtype_name(x))

    def backward(self, grad_output):
        x, = self.kept()
        grads = working(grad_output)
        pull = grads @ working(self.centres.data) - grads.sum(axis=1)[:, None] * working(x)
        return as_dtype(2 * pull, dtype_name(x))

    def extra_repr(self):
        return f"{tuple(self.centres.data.shape)}"


# ---- shared with torch_layers

def as_table(table):
    """Return the table as tuples, checked."""
    table = tuple(tuple(as_int("table", channel, 0) for channel in row) for row in table)
    for number, row in enumerate(table):
        if not row or len(set(row)) < len(row):
            raise ValueError(f"row {number} of `table` is {row}; each map must see at least one channel, none twice")
    if not table:
        raise ValueError("`table` is empty; it must have a row for each map")
    return table


def entries(table):
    """Return the places (maps, channels) of a table's connections, row after row, as two lists."""
    return ([number for number, row in enumerate(table) for _ in row], [channel for row in table for channel in row])


def check_channels(shape, channels):
    if len(shape) not in (3, 4) or shape[-3] != channels:
        raise ValueError(f"`x` has shape {tuple(shape)}; it must be (N, {channels}, H, W)")


def check_features(shape, centres_shape):
    if len(shape) != 2 or shape[1] != centres_shape[1]:
        raise ValueError(f"`x` has shape {tuple(shape)}; it must be (N, {centres_shape[1]}), as `centres` "
                         f"{tuple(centres_shape)}")
