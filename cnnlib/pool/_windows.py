"""The windows of a pooling, described by integers: what the arguments mean after checking."""

from dataclasses import dataclass

from cnnlib._arguments import checked, remembered
from cnnlib.geometry import as_int, as_pair, effective_size


@dataclass(frozen=True)
class Windows:
    """Where the windows of one pooling lie. Sizes are (rows, cols), in pixels."""

    size: tuple  # (H, W) of the input
    kernel_size: tuple
    stride: tuple
    padding: tuple
    dilation: tuple
    out_size: tuple  # (OH, OW)

    @property
    def frame(self):
        """The padding ((top, bottom), (left, right)) that makes every window whole; with ceil_mode more goes after."""
        return tuple((p, max(p, (o - 1) * s + effective_size(k, d) - size - p)) for p, o, s, k, d, size in zip(
            self.padding, self.out_size, self.stride, self.kernel_size, self.dilation, self.size))

    @property
    def framed_size(self):
        return tuple(size + sum(zeros) for size, zeros in zip(self.size, self.frame))

    @property
    def taps(self):
        """Every position (p, q) in a window, in reading order."""
        return [(p, q) for p in range(self.kernel_size[0]) for q in range(self.kernel_size[1])]

    @property
    def first_inside(self):
        """For each axis, the first tap of each window that lies inside the input."""
        return [[max(0, -(-(p - i * s) // d)) for i in range(o)] for p, s, d, o in zip(
            self.padding, self.stride, self.dilation, self.out_size)]

    def at(self, p, q):
        """Return the slices of the framed input that tap (p, q) reads, one pixel for each window."""
        return (..., *(slice(t * d, t * d + s * (o - 1) + 1, s)
                       for t, d, s, o in zip((p, q), self.dilation, self.stride, self.out_size)))

    def crop(self, framed):
        """View the input inside its frame."""
        (top, _), (left, _) = self.frame
        return framed[..., top:top + self.size[0], left:left + self.size[1]]


@remembered
def make_windows(x_shape, kernel_size, stride=None, padding=0, dilation=1, ceil_mode=False):
    """Check the settings of a pooling against the input's shape and return its :class:`Windows`.

    Raises
    ------
    ValueError, TypeError
        With the argument's name, its value, and what would work.
    """
    if len(x_shape) not in (3, 4):
        raise ValueError(f"`x` has shape {tuple(x_shape)}; it must be (N, C, H, W), or (C, H, W) for one image")
    if 0 in x_shape[-3:]:
        raise ValueError(f"`x` has shape {tuple(x_shape)}: only the batch may be empty")
    kernel_size = as_pair("kernel_size", kernel_size, 1)
    stride = kernel_size if stride is None else as_pair("stride", stride, 1)
    padding, dilation = as_pair("padding", padding, 0), as_pair("dilation", dilation, 1)
    if not isinstance(ceil_mode, bool):
        raise TypeError(f"`ceil_mode` is {ceil_mode!r}; it must be True or False")
    for p, k in zip(padding, kernel_size):
        if p > k // 2:
            raise ValueError(f"`padding` is {padding}; at most half of `kernel_size` {kernel_size} lies outside: "
                             f"{k // 2}, else a window would see padding only")
    out_size = []
    for word, size, k, s, p, d in zip(("rows", "columns"), x_shape[-2:], kernel_size, stride, padding, dilation):
        room = size + 2 * p - effective_size(k, d)
        if room < 0 and not (ceil_mode and room > -s):
            raise ValueError(f"`kernel_size` {kernel_size} spans {effective_size(k, d)} {word} and the input with "
                             f"padding {p} has {size + 2 * p}: it must be smaller, or the padding larger")
        count = _count(room, size, s, p, ceil_mode)
        if (start := _blind(count, size, k, s, p, d)) is not None:
            reads = ", ".join(str(start + t * d) for t in range(k))
            raise ValueError(f"`dilation` {dilation} with `padding` {padding}: a window reads the {word} {reads} of an "
                             f"input that has {word} 0 to {size - 1}, so it would see padding only; for the {word} "
                             f"`dilation` {_smaller(size, k, s, p, d, ceil_mode)} would work")
        out_size.append(count)
    return Windows(tuple(x_shape[-2:]), kernel_size, stride, padding, dilation, tuple(out_size))


def _count(room, size, stride, padding, ceil_mode):
    """Return how many windows stand along one axis; rounded up, the last still begins inside the input."""
    if not ceil_mode:
        return room // stride + 1
    count = -(-room // stride) + 1
    return count - 1 if (count - 1) * stride >= size + padding else count


def _blind(count, size, k, s, p, d):
    """Return where the first window begins whose taps step over the whole input along an axis, or None."""
    for start in range(-p, min(0, count * s - p), s):
        first = -(start // d)  # the first tap in row 0 or after it
        if first >= k or start + first * d >= size:
            return start
    return None


def _smaller(size, k, s, p, d, ceil_mode):
    """Return the largest dilation below d with which every window along an axis fits and sees the input."""
    def sees(d):
        room = size + 2 * p - effective_size(k, d)
        return room >= 0 and _blind(_count(room, size, s, p, ceil_mode), size, k, s, p, d) is None

    return next(less for less in range(d - 1, 0, -1) if sees(less))


def check_input(what, **arrays):
    """Return the arrays of a pooling as plain arrays of one library, dtype and device."""
    return checked(what, **arrays)


def check_grad_output(grad_output, x_shape, out_size):
    """Check that the gradient has the shape of the output."""
    expected = (*x_shape[:-2], *out_size)
    if tuple(grad_output.shape) != expected:
        raise ValueError(f"`grad_output` has shape {tuple(grad_output.shape)}; it must have that of the output, "
                         f"{expected}")


def as_output_size(value, size):
    """Return `output_size`, an int or a pair in which None keeps the input's size, as (rows, cols)."""
    pair = value if isinstance(value, (tuple, list)) else (value, value)
    if len(pair) != 2:
        raise ValueError(f"`output_size` is {value!r}; it must be one number or a pair (rows, cols)")
    return tuple(s if v is None else as_int("output_size", v, 1) for v, s in zip(pair, size))
