"""Convolution and its transpose as layers."""

from cnnlib.conv import conv2d, conv2d_backward, conv_transpose2d, conv_transpose2d_backward
from cnnlib.geometry import as_int, as_pair
from cnnlib.layers.dense import Weighted


class _Convolution(Weighted):
    """What a convolution layer and its transpose share: the settings, by torch's names."""

    def __init__(self, in_channels, out_channels, kernel_size, stride, dilation, groups):
        self.in_channels = as_int("in_channels", in_channels, 1)
        self.out_channels = as_int("out_channels", out_channels, 1)
        self.kernel_size = as_pair("kernel_size", kernel_size, 1)
        self.stride, self.dilation = as_pair("stride", stride, 1), as_pair("dilation", dilation, 1)
        self.groups = as_int("groups", groups, 1)
        if in_channels % groups or out_channels % groups:
            raise ValueError(f"`groups` is {groups}; it must divide in_channels {in_channels} and out_channels "
                             f"{out_channels}")

    def forward(self, x):
        self.keep(x)
        return self._op(x, *self._arrays(), **self._settings())

    def backward(self, grad_output):
        x, = self.kept()
        grad_x, grad_weight, grad_bias = self._op_backward(grad_output, x, *self._arrays(), **self._settings())
        self.add_gradients(weight=grad_weight, bias=grad_bias)
        return grad_x

    def extra_repr(self):
        unusual = {name: getattr(self, name) for name, usual in (
            ("stride", (1, 1)), ("padding", 0), ("output_padding", 0), ("dilation", (1, 1)), ("groups", 1))
            if getattr(self, name, usual) != usual}
        return ", ".join([f"{self.in_channels}, {self.out_channels}, kernel_size={self.kernel_size}",
                          *(f"{name}={value}" for name, value in unusual.items()),
                          *([] if self.bias is not None else ["bias=False"])])


class Conv2d(_Convolution):
    """A bank of filters that is learnt: :func:`conv.conv2d`.

    Parameters
    ----------
    in_channels, out_channels : int
    kernel_size, stride, dilation : int or (rows, cols), in pixels
    padding : int, (rows, cols), ((top, bottom), (left, right)), "valid" or "same"
    groups : int
    bias : bool
    rng : np.random.Generator, optional
        Draws the first weights evenly from ± 1 / √fan_in, as torch does; a new one without.
    method : str
        Of :func:`conv.conv2d`. Without Winograd's, which "auto" would take for large maps: through twenty layers its
        rounding makes some gradients in float32 seven times less exact than torch's.

    Attributes
    ----------
    weight : Parameter of shape (out_channels, in_channels // groups, KH, KW)
    bias : Parameter of shape (out_channels,), or None
    """

    _op, _op_backward = staticmethod(conv2d), staticmethod(conv2d_backward)

    def __init__(self, in_channels, out_channels, kernel_size, stride=1, padding=0, dilation=1, groups=1, bias=True, *,
                 rng=None, method="exact"):
        super().__init__(in_channels, out_channels, kernel_size, stride, dilation, groups)
        self.padding, self.method = padding, method
        self._make((out_channels, in_channels // groups, *self.kernel_size), (out_channels,) if bias else None, rng)

    def backward_parameters(self, grad_output):
        x, = self.kept()
        _, grad_weight, grad_bias = conv2d_backward(grad_output, x, *self._arrays(), **self._settings(),
                                                    need_grad_x=False)
        self.add_gradients(weight=grad_weight, bias=grad_bias)

    def _settings(self):
        return dict(stride=self.stride, padding=self.padding, dilation=self.dilation, groups=self.groups,
                    method=self.method)


class ConvTranspose2d(_Convolution):
    """Filters that are spread over the output, to make maps larger: :func:`conv.conv_transpose2d`.

    Parameters
    ----------
    in_channels, out_channels : int
    kernel_size, stride, dilation, padding, output_padding : int or (rows, cols), in pixels
    groups : int
    bias : bool
    rng : np.random.Generator, optional
        As in :class:`Conv2d`. (Here torch takes fan_in as out_channels // groups * KH * KW, and so do we.)

    Attributes
    ----------
    weight : Parameter of shape (in_channels, out_channels // groups, KH, KW)
    bias : Parameter of shape (out_channels,), or None
    """

    _op, _op_backward = staticmethod(conv_transpose2d), staticmethod(conv_transpose2d_backward)

    def __init__(self, in_channels, out_channels, kernel_size, stride=1, padding=0, output_padding=0, groups=1,
                 bias=True, dilation=1, *, rng=None):
        super().__init__(in_channels, out_channels, kernel_size, stride, dilation, groups)
        self.padding, self.output_padding = padding, output_padding
        self._make((in_channels, out_channels // groups, *self.kernel_size), (out_channels,) if bias else None, rng)

    def _settings(self):
        return dict(stride=self.stride, padding=self.padding, output_padding=self.output_padding, groups=self.groups,
                    dilation=self.dilation)
