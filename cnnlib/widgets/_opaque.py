"""Layers of a kind that is not known: what they do to maps is measured by running them."""

import copy
from dataclasses import replace

import numpy as np

from cnnlib import _array
from cnnlib.architectures._build import of_ours
from cnnlib.inspection._engine import first_array, is_ours, run
from cnnlib.layers import shapes
from cnnlib.widgets import _torch_model

LONGER = 3  # times the maps' length: there a layer's window is looked for


def measured_copy(net):
    """Return a copy of a net, in evaluation, in which every layer without a rule of shapes is measured.

    Parameters
    ----------
    net : layers.Module, torch.nn.Module, or a function of `nn` that makes a net of ours
    """
    net = copy.deepcopy(net) if hasattr(net, "forward") else of_ours(net)
    net.eval()
    for layer in _unknown(net):
        layer.reach = Measured(layer, first_array(net))
    return net


def _unknown(layer):
    """Return the layers in a net, or the net itself, that have no rule; not those inside of one."""
    if not shapes.is_known(layer):
        return [layer]
    return [found for _, child in shapes.children(layer) for found in _unknown(child)]


class Measured:
    """The rule of shapes of one layer, measured: pixels that are no number spread to all units that see them.

    Parameters
    ----------
    layer : layers.Module or torch.nn.Module
    like : array, optional
        Of the library, dtype and device that the layer computes in.

    Attributes
    ----------
    zeros_before : (rows, cols)
        Of padding, after a call.
    """

    def __init__(self, layer, like):
        self.layer, self.like, self.zeros_before = layer, like, (0, 0)

    def __call__(self, before):
        """Return the :class:`shapes.Reach` behind the layer."""
        shape = self._run(np.zeros(before.shape)).shape
        depth = before.depth + any(True for _ in self.layer.parameters())
        if len(before.shape) != 3 or len(shape) != 3:
            reach = before.over_all(shape) if len(shape) == 1 else before.through(shape)
            return replace(reach, depth=depth)
        sizes, steps, zeros = zip(*(self._along(before.shape, shape, axis) for axis in (1, 2)))
        self.zeros_before = zeros
        return before.through(shape, sizes, steps, depth=depth)

    def _run(self, x):
        """Return what comes out for one sample, without the batch."""
        if self.like is not None:
            x = _array.constant(x, like=self.like)
        elif not is_ours(self.layer):
            x = _torch_model.tensor(x.astype(np.float32))
        try:
            with np.errstate(all="ignore"):
                out = run(self.layer, x[None])
        except (ValueError, TypeError, RuntimeError, IndexError) as error:
            raise ValueError(f"{type(self.layer).__name__} does not take {tuple(x.shape)}: {error}") from error
        out = _array.to_numpy(out)
        if out.ndim not in (2, 4) or len(out) != 1:
            raise ValueError(f"{type(self.layer).__name__} gives shape {out.shape} for one picture; it must give maps "
                             "(1, C, H, W) or numbers (1, F)")
        return out[0]

    def _along(self, before, after, axis):
        """Return how many pixels a unit in the middle sees along an axis, the step to the next, and zeros before."""
        everything = before[axis], max(1, before[axis] // after[axis]), 0
        if after[axis] == 1 and after[3 - axis] == 1:
            return everything
        before, after = self._longer(before, after, axis)
        unit = max(0, after[axis] // 2 - 1)
        first, last = self._ends(before, after, axis, unit)
        if (first, last) == (0, before[axis] - 1) or after[axis] == 1:
            return everything
        other = self._ends(before, after, axis, unit + 1)
        step = max(1, other[0] - first, other[1] - last)
        return last - first + 1, step, unit * step - first

    def _longer(self, before, after, axis):
        """Return the shapes of maps so long that a unit in their middle sees no border; these, if none are taken."""
        long = tuple(LONGER * n if k == axis else n for k, n in enumerate(before))
        try:
            return long, self._run(np.zeros(long)).shape
        except ValueError:
            return before, after

    def _ends(self, before, after, axis, unit):
        """Return the first and the last pixel that a unit sees along an axis, found by halves."""
        place = tuple(unit if k == axis else after[k] // 2 for k in (1, 2))

        def sees(low, high):
            x = np.zeros(before)
            np.moveaxis(x, axis, 0)[low:high] = np.nan
            return np.isnan(self._run(x)[(slice(None), *place)]).any()

        size = before[axis]
        if not sees(0, size):
            return 0, size - 1  # it lets no NaN through: all is said to be seen
        first = _least(size, lambda k: sees(0, k + 1))
        return first, size - 1 - _least(size, lambda k: sees(size - 1 - k, size))


def _least(count, holds):
    """Return the least k below `count` for which something holds, which then holds for all above."""
    low, high = 0, count - 1
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if holds(middle) else (middle + 1, high)
    return low
