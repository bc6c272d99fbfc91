"""A large convolution as several small ones: fewer images, groups and filters, and one rectangle of the output.

This is what bounds the memory of every method without a word of it in their files. A rectangle of the output
needs its part of the image and, around it, the pixels that its windows reach into: neighbours overlap in the
image, never in the output.
"""

from dataclasses import dataclass, replace
from itertools import product
from math import prod

from cnnlib.conv._problem import Problem
from cnnlib.geometry import effective_size

ITEMSIZE = {"float16": 2, "bfloat16": 2, "float32": 4, "float64": 8,
            "uint8": 1, "int8": 1, "uint16": 2, "int16": 2, "uint32": 4, "int32": 4, "int64": 8}  # bytes
WORKSPACE = 16 * 2**20  # bytes that a method may hold beside its arguments and result; about a CPU's cache
ENOUGH = 0.75  # of what it needed: a halving that saves less makes twice the work for no memory, and is not done
COLUMNS_COST = 4 / 3  # columns are cut only where it saves that much more: it makes runs in memory short


@dataclass(frozen=True)
class Piece:
    """A convolution on part of the output, and where that part stands in the whole."""

    problem: Problem
    of_x: tuple  # slices: images, channels, rows, columns
    of_out: tuple  # slices: images, filters, rows, columns

    @property
    def filters(self):
        return self.of_out[1]


@dataclass(frozen=True)
class Pieces:
    """All pieces of a problem, made one by one when they are asked for."""

    whole: Problem
    sizes: tuple  # of one piece, at most: images, groups, filters of a group, rows, columns
    workspace: int  # bytes that the largest piece needs beside arguments and result

    @property
    def count(self):
        return prod(self._parts())

    def __iter__(self):
        if self.count == 1:
            yield Piece(self.whole, (slice(None),) * 4, (slice(None),) * 4)
            return
        axes = list(zip(_full_sizes(self.whole), self._parts()))
        for numbers in product(*(range(parts) for _, parts in axes)):
            yield _piece(self.whole, *((size * k // parts, size * (k + 1) // parts)
                                       for k, (size, parts) in zip(numbers, axes)))

    def _parts(self):
        """Return into how many parts each axis is cut; an empty batch is one part."""
        return [max(1, -(-size // max(1, step))) for size, step in zip(_full_sizes(self.whole), self.sizes)]


def cut(choice, problem, dtype):
    """Return the :class:`Pieces` of `problem`, arrays being of the dtype called `dtype`.

    They are halved, along the axis that saves most, until each holds at most WORKSPACE bytes (or is one output number),
    if the method of `choice` lets itself be cut. Where windows are nearly as large as the image, parts of the output
    need nearly all of it, and are not cut further.
    """
    sizes = _full_sizes(problem)
    workspace = getattr(choice.body, "workspace", lambda _: 0)
    limit = WORKSPACE // ITEMSIZE[dtype] if choice.in_pieces else float("inf")

    def cost(sizes):
        short_runs = COLUMNS_COST if sizes[4] < problem.out_size[1] else 1
        return short_runs * workspace(_first_piece(problem, sizes))

    needed = workspace(problem)
    while needed > limit and (halves := [halved for halved in _halves(sizes) if
                                         workspace(_first_piece(problem, halved)) <= ENOUGH * needed]):
        sizes = min(halves, key=cost)
        needed = workspace(_first_piece(problem, sizes))
    return Pieces(problem, sizes, needed * ITEMSIZE[dtype])


def _full_sizes(problem):
    n, f, oh, ow = problem.out_shape
    return n, problem.groups, f // problem.groups, oh, ow


def _halves(sizes):
    """Return `sizes` with one of them halved, in every way. Groups stay whole until a piece has only one."""
    return [(*sizes[:axis], -(-size // 2), *sizes[axis + 1:]) for axis, size in enumerate(sizes)
            if size > 1 and (axis != 2 or sizes[1] == 1)]


def _first_piece(whole, sizes):
    return _piece(whole, *[(0, size) for size in sizes]).problem


def _piece(whole, images, groups, filters, rows, cols):
    """Return the Piece with these (start, stop) of the output; filters are counted within each group."""
    f, depth = whole.weight_shape[0] // whole.groups, whole.weight_shape[1]
    channels = groups[0] * depth, groups[1] * depth
    filters = groups[0] * f + filters[0], (groups[1] - 1) * f + filters[1]
    axes = zip((rows, cols), whole.out_size, whole.x_shape[2:], whole.padding, whole.kernel_size, whole.stride,
               whole.dilation)
    pixels, padding = zip(*(_input_of(*axis) for axis in axes))
    x, out = (images, channels, *pixels), (images, filters, rows, cols)
    x_shape, (_, few, *out_size) = (tuple(stop - start for start, stop in ranges) for ranges in (x, out))
    problem = replace(whole, x_shape=x_shape, weight_shape=(few, *whole.weight_shape[1:]), padding=padding,
                      groups=groups[1] - groups[0], out_size=tuple(out_size))
    return Piece(problem, *(tuple(slice(*part) for part in ranges) for ranges in (x, out)))


def _input_of(part, out_size, size, padding, kernel_size, stride, dilation):
    """Return which pixels (start, stop) of one axis the outputs `part` see, and the zeros (before, after) around."""
    if part == (0, out_size):
        return (0, size), padding
    first = part[0] * stride - padding[0]  # in pixels of the image, which ends at `size`
    last = (part[1] - 1) * stride - padding[0] + effective_size(kernel_size, dilation)
    start = min(max(first, 0), size)
    zeros = tuple(min(max(beyond, 0), last - first) for beyond in (-first, last - size))
    return (start, min(max(last, start), size)), zeros
