"""A large convolution as several small ones: fewer images, fewer filters, or a strip of rows at a time.

This is what bounds the memory of every method without a word of it in their files. A strip of output rows
needs its rows of the image and, above and below, the rows that its windows reach into: neighbouring strips
overlap in the image, never in the output.
"""

from dataclasses import dataclass, replace

from cnnlib.conv._problem import Problem
from cnnlib.geometry import effective_size

ITEMSIZE = {"float16": 2, "bfloat16": 2, "float32": 4, "float64": 8,
            "uint8": 1, "int8": 1, "uint16": 2, "int16": 2, "uint32": 4, "int32": 4, "int64": 8}  # bytes
WORKSPACE = 16 * 2**20  # bytes that a method may hold beside its arguments and result; about a CPU's cache


@dataclass(frozen=True)
class Piece:
    """A convolution on part of the output, and where that part stands in the whole."""

    problem: Problem
    images: slice
    filters: slice
    rows: slice  # of the output
    x_rows: slice  # of the image

    @property
    def of_x(self):
        return self.images, slice(None), self.x_rows

    @property
    def of_out(self):
        return self.images, self.filters, self.rows


def cut(choice, problem, dtype):
    """Return the pieces of `problem`, and the bytes that the largest of them needs beside arguments and result.

    Halved until each holds at most WORKSPACE bytes (or is one output row of one image and filter), if the method
    of `choice` lets itself be cut.
    """
    n, f, oh, _ = problem.out_shape
    ranges = (0, n), (0, f), (0, oh)
    workspace = getattr(choice.body, "workspace", lambda _: 0)
    limit = WORKSPACE // ITEMSIZE[dtype] if choice.in_pieces else float("inf")
    needed = workspace(problem)
    if needed <= limit:
        return [Piece(problem, *[slice(None)] * 4)], needed * ITEMSIZE[dtype]
    parts = list(_halve(problem, *ranges, workspace, limit))
    return parts, max(workspace(piece.problem) for piece in parts) * ITEMSIZE[dtype]


def _halve(whole, images, filters, rows, workspace, limit):
    """Yield the piece with these ranges, or its parts, cut along the axis that saves most."""
    piece = _piece(whole, images, filters, rows)
    if workspace(piece.problem) > limit:
        ranges = images, filters, rows
        cuts = []
        for axis, (start, stop) in enumerate(ranges):
            if stop - start < 2 or (axis == 1 and whole.groups > 1):  # groups of filters stay together
                continue
            middle = (start + stop + 1) // 2
            first, second = ([*ranges[:axis], part, *ranges[axis + 1:]]
                             for part in ((start, middle), (middle, stop)))
            cuts.append((workspace(_piece(whole, *first).problem), first, second))
        if cuts:
            _, first, second = min(cuts, key=lambda cut: cut[0])
            yield from _halve(whole, *first, workspace, limit)
            yield from _halve(whole, *second, workspace, limit)
            return
    yield piece


def _piece(whole, images, filters, rows):
    """Return the Piece that computes these images, filters and output rows of `whole`."""
    (top, bottom), columns = whole.padding
    height, stride = whole.x_shape[2], whole.stride[0]
    x_rows = (0, height)
    if rows != (0, whole.out_size[0]):
        first = rows[0] * stride  # in rows of the padded image
        length = (rows[1] - rows[0] - 1) * stride + effective_size(whole.kernel_size[0], whole.dilation[0])
        top, bottom = (min(max(zeros, 0), length) for zeros in (top - first, first + length - top - height))
        start = max(first - whole.padding[0][0], 0)
        x_rows = (start, start + length - top - bottom)
    problem = replace(
        whole,
        x_shape=(images[1] - images[0], whole.x_shape[1], x_rows[1] - x_rows[0], whole.x_shape[3]),
        weight_shape=(filters[1] - filters[0], *whole.weight_shape[1:]),
        padding=((top, bottom), columns), out_size=(rows[1] - rows[0], whole.out_size[1]))
    return Piece(problem, slice(*images), slice(*filters), slice(*rows), slice(*x_rows))
