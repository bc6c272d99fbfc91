"""The fully connected layer, and what stands before it: a map becomes a row of numbers."""

from contextlib import contextmanager, nullcontext
from contextvars import ContextVar
from math import prod, sqrt

import numpy as np

from cnnlib import initializers
from cnnlib._arguments import as_axis
from cnnlib._threads import one_blas_thread
from cnnlib.geometry import as_int
from cnnlib.layers._module import Module, Parameter
from cnnlib.linear import linear, linear_backward

# Multiply-adds up to which one BLAS thread does a product. BLAS's second thread goes on spinning for milliseconds after
# it, on the core that the next layer's second thread needs. Where other programs ran too, a step of LeNet took 18 ms
# with it and 6 without.
ONE_THREAD = 2**29


_drawn = ContextVar("drawn", default=True)


@contextmanager
def without_weights():
    """Layers that are made inside have weights of zeros that take no memory: to be counted, or to be loaded.

    As torch's device "meta", for our engine.

    Examples
    --------
    >>> with without_weights():
    ...     layer = Linear(25088, 4096)
    >>> layer.weight.numel(), layer.weight.data.base.nbytes
    (102760448, 4)
    """
    token = _drawn.set(False)
    try:
        yield
    finally:
        _drawn.reset(token)


def first_weights(weight_shape, bias_shape, rng):
    """Return a weight and a bias (None for None) as torch's layers begin, evenly from ± 1 / √fan_in.

    That is he_uniform for a leaky ReLU of slope √5, a choice without more reason than that it came first; for deep nets
    draw again with :mod:`initializers`. `rng` None stands for a new generator.
    """
    if not _drawn.get():
        return tuple(None if shape is None else np.broadcast_to(np.float32(0), shape)
                     for shape in (weight_shape, bias_shape))
    rng = np.random.default_rng() if rng is None else rng
    weight = initializers.he_uniform(weight_shape, rng, negative_slope=sqrt(5))
    if bias_shape is None:
        return weight, None
    limit = 1 / sqrt(prod(weight_shape[1:]))
    return weight, rng.uniform(-limit, limit, bias_shape).astype("float32")


class Weighted(Module):
    """A layer with a weight and perhaps a bias, which it draws."""

    def _make(self, weight_shape, bias_shape, rng):
        """Set self.weight and self.bias."""
        weight, bias = first_weights(weight_shape, bias_shape, rng)
        self.weight = Parameter(weight)
        self.bias = None if bias is None else Parameter(bias)

    def _draw(self, rng):
        drawn = first_weights(self.weight.shape, None if self.bias is None else self.bias.shape, rng)
        for parameter, values in zip((self.weight, self.bias), drawn):
            if parameter is not None:
                parameter.set(values)

    def _arrays(self):
        return self.weight.data, None if self.bias is None else self.bias.data

class Linear(Weighted):
    """Every output sees every input: :func:`cnnlib.linear.linear`.

    Parameters
    ----------
    in_features, out_features : int
    bias : bool
    rng : np.random.Generator, optional
        Draws the first weights evenly from ± 1 / √in_features, as torch does; a new one without.

    Attributes
    ----------
    weight : Parameter of shape (out_features, in_features)
    bias : Parameter of shape (out_features,), or None
    """

    def __init__(self, in_features, out_features, bias=True, *, rng=None):
        self.in_features = as_int("in_features", in_features, 1)
        self.out_features = as_int("out_features", out_features, 1)
        self._make((out_features, in_features), (out_features,) if bias else None, rng)

    def forward(self, x):
        self.keep(x)
        with self._blas(x):
            return linear(x, *self._arrays())

    def backward(self, grad_output):
        x, = self.kept()
        with self._blas(x):
            grad_x, grad_weight, grad_bias = linear_backward(grad_output, x, *self._arrays())
        self.add_gradients(weight=grad_weight, bias=grad_bias)
        return grad_x

    def _blas(self, x):
        small = isinstance(x, np.ndarray) and x.size * self.out_features <= ONE_THREAD
        return one_blas_thread() if small else nullcontext()

    def extra_repr(self):
        return f"in_features={self.in_features}, out_features={self.out_features}, bias={self.bias is not None}"


class Flatten(Module):
    """Make the axes from `start_dim` to `end_dim` one: (N, C, H, W) becomes (N, C * H * W), channel after channel."""

    def __init__(self, start_dim=1, end_dim=-1):
        self.start_dim, self.end_dim = start_dim, end_dim

    def forward(self, x):
        shape = tuple(x.shape)
        first, last = as_axis("start_dim", self.start_dim, shape), as_axis("end_dim", self.end_dim, shape)
        if first > last:
            raise ValueError(f"`start_dim` {self.start_dim} comes after `end_dim` {self.end_dim} in `x` {shape}")
        self.keep(shape)
        return x.reshape((*shape[:first], prod(shape[first:last + 1]), *shape[last + 1:]))

    def backward(self, grad_output):
        shape, = self.kept()
        return grad_output.reshape(shape)


class Identity(Module):
    """Return what comes in. The constructor takes any arguments, so that it may stand for another layer."""

    def __init__(self, *args, **kwargs):
        del args, kwargs

    def forward(self, x):
        return x

    def backward(self, grad_output):
        return grad_output
