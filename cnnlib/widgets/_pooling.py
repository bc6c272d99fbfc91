"""One picture, halved in one of five ways: what the pooling stepper shows, computed by the library."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from cnnlib import conv, pool
from cnnlib.pool._windows import make_windows

KINDS = ("max", "average", "L2", "stride", "blurred")
BLUR = np.outer([1, 2, 1], [1, 2, 1]) / 16


@dataclass(frozen=True, eq=False)
class Pooling:
    """A picture and the windows that are walked over it.

    Parameters
    ----------
    picture : array of shape (H, W), float64
    kind : one of `KINDS`
        "stride" keeps the window's first pixel inside the picture; "blurred" blurs the maxima of all windows, one
        pixel apart, by 1 2 1 and keeps every stride-th.
    kernel_size, stride, padding : int, in pixels
    ceil_mode : bool
    """

    picture: np.ndarray
    kind: str
    kernel_size: int
    stride: int
    padding: int
    ceil_mode: bool

    @cached_property
    def windows(self):
        return make_windows((1, *self.picture.shape), self.kernel_size, self.stride, self.padding, 1, self.ceil_mode)

    @cached_property
    def out(self):
        """The pooled picture, (OH, OW)."""
        x, how = self.picture[None], (self.kernel_size, self.stride, self.padding)
        if self.kind == "max":
            return pool.max_pool2d(x, *how, ceil_mode=self.ceil_mode)[0]
        if self.kind == "average":
            return pool.avg_pool2d(x, *how, self.ceil_mode)[0]
        if self.kind == "L2":
            return pool.lp_pool2d(np.pad(self.picture, self.windows.frame)[None], 2.0, *how[:2])[0]
        if self.kind == "stride":
            return self.picture[self._kept]
        dense = pool.max_pool2d(x, self.kernel_size, 1, self.padding)[0]
        beyond = np.pad(dense, (1, self.stride), mode="edge")  # rounded up, a window begins beyond the last maximum
        return conv.conv2d(beyond[None], BLUR[None, None], method="exact")[0][np.ix_(*self._starts)]

    @cached_property
    def winners(self):
        """Where in the flattened picture each maximum stands, (OH, OW)."""
        return pool.max_pool2d(self.picture[None], self.kernel_size, self.stride, self.padding,
                               ceil_mode=self.ceil_mode, return_indices=True)[1][0]

    @property
    def _starts(self):
        """The first rows and the first columns of the windows, counted from the padding's corner."""
        return [np.arange(n) * self.stride for n in self.windows.out_size]

    @property
    def _kept(self):
        return np.ix_(*(np.maximum(starts - self.padding, 0) for starts in self._starts))

    def corner(self, row, col):
        """Return the first row and column of a window, in the picture; negative in the padding."""
        return row * self.stride - self.padding, col * self.stride - self.padding

    def inside(self, row, col):
        """Return the part of the picture that a window covers, as slices of rows and columns."""
        return tuple(slice(max(at, 0), at + self.kernel_size) for at in self.corner(row, col))

    def zeros(self, row, col):
        """Return how many zeros of the padding an average counts."""
        spans = [min(at + self.kernel_size, n + self.padding) - at
                 for at, n in zip(self.corner(row, col), self.picture.shape)]
        return spans[0] * spans[1] - self.picture[self.inside(row, col)].size

    def gradient(self, grad_output):
        """Return what a gradient of the output sends back to the picture, (H, W)."""
        x, grad, how = self.picture[None], grad_output[None], (self.kernel_size, self.stride, self.padding)
        if self.kind == "max":
            return pool.max_pool2d_backward(grad, x, *how, ceil_mode=self.ceil_mode)[0]
        if self.kind == "average":
            return pool.avg_pool2d_backward(grad, x, *how, self.ceil_mode)[0]
        if self.kind == "L2":
            framed = np.pad(self.picture, self.windows.frame)[None]
            return self.windows.crop(pool.lp_pool2d_backward(grad, framed, 2.0, *how[:2])[0])
        if self.kind == "stride":
            back = np.zeros(self.picture.shape)
            np.add.at(back, self._kept, grad_output)
            return back
        dense = np.zeros([n + 2 * self.padding - self.kernel_size + 1 for n in self.picture.shape])
        for u, v in np.ndindex(3, 3):
            at = [np.clip(starts + d - 1, 0, n - 1) for starts, d, n in zip(self._starts, (u, v), dense.shape)]
            np.add.at(dense, np.ix_(*at), BLUR[u, v] * grad_output)
        return pool.max_pool2d_backward(dense[None], x, self.kernel_size, 1, self.padding)[0]

    def shares(self, row, col):
        """Return what a gradient of 1 from one output sends back to the pixels that it reaches, in reading order."""
        window = self.picture[self.inside(row, col)].ravel()
        if self.kind == "L2":  # by the definition: a NaN in another window is not this one's
            norm = self.out[row, col]
            return window / norm if norm else np.zeros(window.shape)
        grad = np.zeros(self.out.shape)
        grad[row, col] = 1
        back = self.gradient(grad)
        return back[self.inside(row, col)].ravel() if self.kind == "average" else back[back != 0]
