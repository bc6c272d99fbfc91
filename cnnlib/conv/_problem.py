"""One convolution, described by integers: what the arguments mean after checking.

`conv2d` and its kin check their arguments once, here, and hand every method the same three things: `x` of
shape (N, C, H, W), `weight` of shape (F, C // groups, KH, KW), and a :class:`Problem`. A method is a file with

    forward(x, weight, problem)                   -> out          (N, F, OH, OW)
    backward_x(grad_output, weight, problem)      -> grad_x       (N, C, H, W)
    backward_weight(grad_output, x, problem)      -> grad_weight  (F, C // groups, KH, KW)

Arrays arrive in the dtype that is computed in (float32 or float64, int64 for integers); the bias is
added, and the dtype restored, by the caller. A method that rounds half precision itself (`_methods.NATIVE`) must
add the bias before that: its forward takes one, forward(x, weight, problem, bias=None).
"""

from dataclasses import dataclass

from cnnlib._arguments import remembered
from cnnlib.geometry import as_int, as_pair, output_size, same_padding


@dataclass(frozen=True)
class Problem:
    """The integers of one convolution. Sizes are (rows, cols), in pixels."""

    x_shape: tuple  # (N, C, H, W)
    weight_shape: tuple  # (F, C // groups, KH, KW)
    stride: tuple
    padding: tuple  # ((top, bottom), (left, right))
    dilation: tuple
    groups: int
    out_size: tuple  # (OH, OW)

    @property
    def kernel_size(self):
        return self.weight_shape[2:]

    @property
    def padded_size(self):
        return tuple(size + before + after for size, (before, after) in zip(self.x_shape[2:], self.padding))

    @property
    def out_shape(self):
        return (self.x_shape[0], self.weight_shape[0], *self.out_size)

    @property
    def multiply_adds(self):
        n, f, oh, ow = self.out_shape
        _, c, kh, kw = self.weight_shape
        return n * f * oh * ow * c * kh * kw


def make_problem(x_shape, weight_shape, stride=1, padding=0, dilation=1, groups=1):
    """Check the shapes and settings of a convolution against each other and return its :class:`Problem`.

    A shape (C, H, W) means a batch of one.

    Raises
    ------
    ValueError, TypeError
        With the argument's name, its value, the shapes, and what would work.
    """
    return _make(tuple(x_shape), tuple(weight_shape), stride, padding, dilation, groups)


@remembered
def _make(x_shape, weight_shape, stride, padding, dilation, groups):
    if len(x_shape) not in (3, 4):
        raise ValueError(f"`x` has shape {x_shape}; it must be (N, C, H, W), or (C, H, W) for one image")
    x_shape = tuple(as_int("x.shape", size, 0) for size in x_shape)
    weight_shape = tuple(as_int("weight.shape", size, 0) for size in weight_shape)
    if len(weight_shape) != 4:
        raise ValueError(f"`weight` has shape {weight_shape}; it must be (F, C // groups, KH, KW): "
                         "F filters of C // groups channels each")
    stride, dilation = as_pair("stride", stride, 1), as_pair("dilation", dilation, 1)
    groups = as_int("groups", groups, 1)
    check_shapes(x_shape, weight_shape, groups)
    padding = as_padding(padding, x_shape[-2:], weight_shape[2:], stride, dilation)
    out_size = []
    for axis, word in enumerate(("rows", "columns")):
        try:
            out_size.append(output_size(x_shape[axis - 2], weight_shape[2 + axis], stride[axis],
                                        padding[axis], dilation[axis]))
        except ValueError as error:
            raise ValueError(f"`weight` {weight_shape} does not fit into `x` {x_shape} along the {word}: "
                             f"{error}") from None
    # A stride beyond the image, and a dilation of one tap, are never taken: methods see small numbers.
    stride = tuple(min(s, size + sum(zeros)) for s, size, zeros in zip(stride, x_shape[-2:], padding))
    dilation = tuple(d if k > 1 else 1 for d, k in zip(dilation, weight_shape[2:]))
    batch = x_shape if len(x_shape) == 4 else (1, *x_shape)
    return Problem(batch, weight_shape, stride, padding, dilation, groups, tuple(out_size))


def check_shapes(x_shape, weight_shape, groups):
    """Check that nothing is empty but the batch, and that the groups divide channels and filters; also of signals."""
    channels_axis = 1 - len(weight_shape)
    if 0 in x_shape[channels_axis:]:
        raise ValueError(f"`x` has shape {x_shape}: only the batch may be empty")
    if 0 in weight_shape:
        raise ValueError(f"`weight` has shape {weight_shape}: no side of a filter may be empty")
    channels, filters, depth = x_shape[channels_axis], weight_shape[0], weight_shape[1]
    if filters % groups:
        raise ValueError(f"`groups` is {groups}; it must divide the {filters} filters of `weight` {weight_shape}")
    if channels != depth * groups:
        raise ValueError(f"`x` {x_shape} has {channels} channels, `weight` {weight_shape} with groups={groups} "
                         f"needs {depth} * {groups} = {depth * groups}"
                         f"{channels_last_hint(x_shape, depth * groups, len(weight_shape) - 2)}")


def channels_last_hint(x_shape, channels, axes=2):
    """Return how to bring the channels of `x` forward, if they seem to be last; `axes` is 1 for signals."""
    if x_shape[-1] != channels:
        return ""
    order, how = {1: ("(N, L, C) or (L, C)", "x.swapaxes(-1, -2)"),
                  2: ("(N, H, W, C) or (H, W, C)", "images.to_chw(x)")}[axes]
    return f"; the last axis of `x` has {channels}, so `x` may be {order}: {how} brings the channels forward"


def as_padding(padding, size, kernel_size, stride, dilation):
    """Return padding in any of its spellings as ((top, bottom), (left, right))."""
    if isinstance(padding, str):
        if padding == "valid":
            return ((0, 0), (0, 0))
        if padding == "same":
            return tuple(same_padding(*axis) for axis in zip(size, kernel_size, stride, dilation))
        raise ValueError(f"`padding` is {padding!r}; the words it knows are 'valid' and 'same'")
    if isinstance(padding, (tuple, list)) and any(isinstance(p, (tuple, list)) for p in padding):
        if len(padding) != 2:
            raise ValueError(f"`padding` is {padding!r}; uneven padding is ((top, bottom), (left, right))")
        return tuple(as_pair("padding", p, 0, "(before, after)") for p in padding)
    return tuple((p, p) for p in as_pair("padding", padding, 0))
