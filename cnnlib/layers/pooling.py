"""Pooling as layers."""

from cnnlib import pool
from cnnlib.layers._module import Function, Module


class MaxPool2d(Module):
    """The maximum of each window: :func:`pool.max_pool2d`.

    Parameters
    ----------
    kernel_size, stride, padding, dilation : int or (rows, cols), in pixels
        Without a stride, `kernel_size`.
    ceil_mode : bool
    """

    def __init__(self, kernel_size, stride=None, padding=0, dilation=1, ceil_mode=False):
        self.kernel_size, self.stride = kernel_size, kernel_size if stride is None else stride
        self.padding, self.dilation, self.ceil_mode = padding, dilation, ceil_mode

    def _settings(self):
        return self.kernel_size, self.stride, self.padding, self.dilation, self.ceil_mode

    def forward(self, x):
        out, winners = pool.max_pool2d_with_winners(x, *self._settings())
        self.keep(x, winners)
        return out

    def backward(self, grad_output):
        x, winners = self.kept()
        return pool.max_pool2d_backward(grad_output, x, *self._settings(), winners=winners)

    def extra_repr(self):
        return f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}"


class _Pool(Function):
    """A pooling of windows, whose kernel_size and stride are asked for as attributes (receptive fields)."""

    def __init__(self, kernel_size, stride, **settings):
        self.kernel_size, self.stride = kernel_size, kernel_size if stride is None else stride
        self.padding = settings.get("padding", 0)
        super().__init__(kernel_size=kernel_size, stride=self.stride, **settings)


class AvgPool2d(_Pool):
    """The mean of each window: :func:`pool.avg_pool2d`."""

    op, op_backward = staticmethod(pool.avg_pool2d), staticmethod(pool.avg_pool2d_backward)

    def __init__(self, kernel_size, stride=None, padding=0, ceil_mode=False, count_include_pad=True):
        super().__init__(kernel_size, stride, padding=padding, ceil_mode=ceil_mode, count_include_pad=count_include_pad)


class LPPool2d(_Pool):
    """The Lp norm of each window: :func:`pool.lp_pool2d`, where its deviations from torch are listed."""

    op, op_backward = staticmethod(pool.lp_pool2d), staticmethod(pool.lp_pool2d_backward)

    def __init__(self, norm_type, kernel_size, stride=None, ceil_mode=False):
        super().__init__(kernel_size, stride, norm_type=norm_type, ceil_mode=ceil_mode)


class AdaptiveAvgPool2d(Function):
    """The means of windows that make the result `output_size` pixels large: :func:`pool.adaptive_avg_pool2d`."""

    op, op_backward = staticmethod(pool.adaptive_avg_pool2d), staticmethod(pool.adaptive_avg_pool2d_backward)

    def __init__(self, output_size):
        super().__init__(output_size=output_size)
