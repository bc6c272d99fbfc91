"""The shortcut that learns nothing: ResNet's option A."""

from cnnlib import _array
from cnnlib.geometry import as_int, as_pair
from cnnlib.layers._module import Module
from cnnlib.layers.lenet import check_channels


class ZeroPadShortcut(Module):
    """Every `stride`-th pixel of x, followed by channels of zeros.

    Parameters
    ----------
    in_channels, out_channels : int
    stride : int or (rows, cols), in pixels

    References
    ----------
    .. [1] He, Zhang, Ren & Sun, Deep residual learning for image recognition, CVPR 2016, section 3.3, option A.
       doi:10.1109/CVPR.2016.90
    """

    def __init__(self, in_channels, out_channels, stride=1):
        self.in_channels = as_int("in_channels", in_channels, 1)
        self.out_channels = as_int("out_channels", out_channels, self.in_channels)
        self.stride = as_pair("stride", stride, 1)

    def forward(self, x):
        check_channels(x.shape, self.in_channels)
        self.keep(x)
        return with_zero_channels(x, self.out_channels, self.stride)

    def backward(self, grad_output):
        x, = self.kept()
        rows, cols = self.stride
        grad_x = _array.zeros(tuple(x.shape), x)
        grad_x[..., ::rows, ::cols] = grad_output[..., :self.in_channels, :, :]
        return _array.in_order_of(grad_x, x)

    def extra_repr(self):
        return f"{self.in_channels}, {self.out_channels}, stride={self.stride}"


def with_zero_channels(x, out_channels, stride):
    """Return every stride-th pixel of `x`, with channels of zeros behind its own."""
    rows, cols = stride
    kept = x[..., ::rows, ::cols]
    shape = (*kept.shape[:-3], out_channels - kept.shape[-3], *kept.shape[-2:])
    out = _array.library(x=x).concatenate([kept, _array.zeros(shape, x)], axis=x.ndim - 3)
    return _array.in_order_of(out, x)
