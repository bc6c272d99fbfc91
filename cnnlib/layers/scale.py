"""A number for each channel: by which it is multiplied, or with which it is normalised at each position."""

import numpy as np

from cnnlib._array import as_dtype, dtype_name, permute, working
from cnnlib.geometry import as_int
from cnnlib.layers._module import Module, Parameter
from cnnlib.layers.lenet import check_channels
from cnnlib.layers.norm import LayerNorm


class Scale(Module):
    """Each channel times a number that is learnt, small at first: a residual block then begins as the identity.

    Parameters
    ----------
    num_channels : int
    value : float
        What all begin with.

    Attributes
    ----------
    weight : Parameter of shape (num_channels, 1, 1)

    References
    ----------
    .. [1] Touvron, Cord, Sablayrolles, Synnaeve & Jégou, Going deeper with image transformers, ICCV 2021 (LayerScale).
       doi:10.1109/ICCV48922.2021.00010
    """

    def __init__(self, num_channels, value=1e-6):
        self.num_channels, self.value = as_int("num_channels", num_channels, 1), float(value)
        self.weight = Parameter(np.full((num_channels, 1, 1), value, dtype="float32"))

    def _draw(self, rng):
        self.weight.set(np.full(self.weight.shape, self.value))

    def forward(self, x):
        check_channels(x.shape, self.num_channels)
        self.keep(x)
        return x * self.weight.data

    def backward(self, grad_output):
        x, = self.kept()
        products = working(grad_output) * working(x)
        axes = tuple(axis for axis in range(x.ndim) if axis != x.ndim - 3)
        self.add_gradients(weight=as_dtype(products.sum(axis=axes), dtype_name(x)).reshape(self.weight.shape))
        return grad_output * self.weight.data

    def extra_repr(self):
        return f"{self.num_channels}, value={self.value}"


class LayerNorm2d(LayerNorm):
    """Normalise the channels at each position of the maps: :func:`norms.layer_norm` over axis 1 of (N, C, H, W).

    Parameters
    ----------
    num_channels : int
    eps : float

    Attributes
    ----------
    weight, bias : Parameter of shape (num_channels,)
    """

    def __init__(self, num_channels, eps=1e-6):
        super().__init__(num_channels, eps)
        self.num_channels = num_channels

    def forward(self, x):
        check_channels(x.shape, self.num_channels)
        return _channels_first(super().forward(_channels_last(x)))

    def backward(self, grad_output):
        self.kept()
        return _channels_first(super().backward(_channels_last(grad_output)))


def _channels_last(x):
    return permute(x, (*range(x.ndim - 3), -2, -1, -3))


def _channels_first(x):
    return permute(x, (*range(x.ndim - 3), -1, -3, -2))
