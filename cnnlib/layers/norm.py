"""Normalisation as layers."""

from math import prod

import numpy as np

from cnnlib import initializers, norms
from cnnlib.geometry import as_int
from cnnlib.layers._module import Buffer, Function, Module, Parameter


class _Norm(Module):
    """A layer with a scale, which begins as ones, and a shift, which begins as zeros."""

    def _make(self, shape, weight, bias):
        self.weight = Parameter(initializers.ones(shape)) if weight else None
        self.bias = Parameter(initializers.zeros(shape)) if bias else None

    def _draw(self, rng):
        for parameter, value in ((self.weight, 1), (self.bias, 0)):
            if parameter is not None:
                parameter.data[...] = value

    def _affine(self):
        return {name: None if parameter is None else parameter.data
                for name, parameter in (("weight", self.weight), ("bias", self.bias))}


class _BatchNorm(_Norm):
    """Batch norm over arrays of certain numbers of axes."""

    axes, shapes = (), ""

    def __init__(self, num_features, eps=1e-5, momentum=0.1, affine=True, track_running_stats=True):
        self.num_features, self.eps, self.momentum = as_int("num_features", num_features, 1), eps, momentum
        self._make((num_features,), affine, affine)
        self.running_mean = self.running_var = self.num_batches_tracked = None
        if track_running_stats:
            self.running_mean = Buffer(initializers.zeros((num_features,)))
            self.running_var = Buffer(initializers.ones((num_features,)))
            self.num_batches_tracked = Buffer(np.array(0))

    def _draw(self, rng):
        super()._draw(rng)
        if self.running_mean is not None:
            self.running_mean.data[...], self.running_var.data[...], self.num_batches_tracked.data[...] = 0, 1, 0

    def forward(self, x):
        if x.ndim not in self.axes:
            raise ValueError(f"`x` has shape {tuple(x.shape)}; it must be {self.shapes}")
        if not self.training and self.running_mean is not None:
            running = dict(running_mean=self.running_mean.data, running_var=self.running_var.data)
            self.keep(x, running | dict(training=False), {})
            return norms.batch_norm(x, **running, **self._affine(), eps=self.eps)
        out, mean, var = norms.batch_norm(x, **self._affine(), training=True, eps=self.eps, return_stats=True)
        if self.training and self.running_mean is not None:
            self._remember(mean, var, prod(x.shape) // x.shape[1])
        self.keep(x, dict(training=True), dict(mean=mean, var=var))
        return out

    def _remember(self, mean, var, count):
        """Move the running statistics; without a momentum, to the mean over all batches."""
        self.num_batches_tracked.data += 1
        momentum = 1 / int(self.num_batches_tracked.data) if self.momentum is None else self.momentum
        self.running_mean.data, self.running_var.data = norms.updated_stats(
            self.running_mean.data, self.running_var.data, mean, var, count, momentum)

    def backward(self, grad_output):
        x, settings, saved = self.kept()
        grad_x, _, _, grad_weight, grad_bias = norms.batch_norm_backward(
            grad_output, x, **self._affine(), **settings, eps=self.eps, **saved)
        self.add_gradients(weight=grad_weight, bias=grad_bias)
        return grad_x

    def extra_repr(self):
        return f"{self.num_features}, eps={self.eps}, momentum={self.momentum}"


class BatchNorm1d(_BatchNorm):
    """Normalise each feature over the batch: :func:`norms.batch_norm`, for x of shape (N, C) or (N, C, L).

    As :class:`BatchNorm2d`.
    """

    axes, shapes = (2, 3), "(N, C) or (N, C, L)"


class BatchNorm2d(_BatchNorm):
    """Normalise each channel over the batch and all positions: :func:`norms.batch_norm`, for x of shape (N, C, H, W).

    Parameters
    ----------
    num_features : int
        C.
    eps : float
    momentum : float or None
        The weight of a new batch in the running statistics; None weights all batches alike.
    affine : bool
        Whether there are a scale and a shift.
    track_running_stats : bool
        Otherwise the batch's own statistics are taken in evaluation too.

    Attributes
    ----------
    weight, bias : Parameter of shape (C,), or None
    running_mean, running_var, num_batches_tracked : Buffer, or None
    """

    axes, shapes = (4,), "(N, C, H, W)"


class LayerNorm(_Norm):
    """Normalise each sample over its last axes: :func:`norms.layer_norm`.

    Parameters
    ----------
    normalized_shape : int or tuple of int
    eps : float
    elementwise_affine : bool
        Whether there is a scale.
    bias : bool
        Whether there is a shift too.
    """

    def __init__(self, normalized_shape, eps=1e-5, elementwise_affine=True, bias=True):
        sizes = normalized_shape if isinstance(normalized_shape, (tuple, list)) else (normalized_shape,)
        self.normalized_shape, self.eps = tuple(as_int("normalized_shape", size, 1) for size in sizes), eps
        self._make(self.normalized_shape, elementwise_affine, elementwise_affine and bias)

    def forward(self, x):
        self.keep(x)
        return norms.layer_norm(x, self.normalized_shape, **self._affine(), eps=self.eps)

    def backward(self, grad_output):
        x, = self.kept()
        grad_x, grad_weight, grad_bias = norms.layer_norm_backward(
            grad_output, x, self.normalized_shape, **self._affine(), eps=self.eps)
        self.add_gradients(weight=grad_weight, bias=grad_bias)
        return grad_x

    def extra_repr(self):
        return f"{self.normalized_shape}, eps={self.eps}"


class GroupNorm(_Norm):
    """Normalise each sample over groups of channels: :func:`norms.group_norm`."""

    def __init__(self, num_groups, num_channels, eps=1e-5, affine=True):
        self.num_groups = as_int("num_groups", num_groups, 1)
        self.num_channels = as_int("num_channels", num_channels, 1)
        if num_channels % num_groups:
            raise ValueError(f"`num_groups` is {num_groups}; it must divide num_channels {num_channels}")
        self.eps = eps
        self._make((num_channels,), affine, affine)

    def forward(self, x):
        if x.ndim < 2 or x.shape[1] != self.num_channels:
            raise ValueError(f"`x` has shape {tuple(x.shape)}; it must be (N, {self.num_channels}, ...)")
        self.keep(x)
        return norms.group_norm(x, self.num_groups, **self._affine(), eps=self.eps)

    def backward(self, grad_output):
        x, = self.kept()
        grad_x, grad_weight, grad_bias = norms.group_norm_backward(
            grad_output, x, self.num_groups, **self._affine(), eps=self.eps)
        self.add_gradients(weight=grad_weight, bias=grad_bias)
        return grad_x

    def extra_repr(self):
        return f"{self.num_groups}, {self.num_channels}, eps={self.eps}"


class LocalResponseNorm(Function):
    """A strong channel dampens its neighbours: :func:`norms.local_response_norm`, where alpha is divided by size."""

    op = staticmethod(norms.local_response_norm)
    op_backward = staticmethod(norms.local_response_norm_backward)

    def __init__(self, size, alpha=1e-4, beta=0.75, k=1.0):
        super().__init__(size=size, alpha=alpha, beta=beta, k=k)
