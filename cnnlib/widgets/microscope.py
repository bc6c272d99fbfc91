"""The convolution microscope: one output number is one window times one filter, summed."""

import numpy as np
import traitlets
from traitlets import Bool, Dict, Float, Int, Unicode

from cnnlib import conv, data, geometry, images
from cnnlib.widgets import _base, _compose, _student
from cnnlib.widgets._picture import panel_figure
from cnnlib.widgets._text import factor, full, literal, places, plural, term

LARGEST = 512  # pixels a side; a larger photo is resized
RING = 16  # the widest ring of zeros that is drawn
PADDING = "a whole number, a pair (rows, cols), \"same\" or \"valid\""


class Padding(traitlets.TraitType):
    """Zeros on each side: a number, a pair (rows, cols), "same" or "valid"."""

    info_text = PADDING
    default_value = 0

    def validate(self, obj, value):
        if value in ("same", "valid") or type(value) is int:
            return value
        if isinstance(value, tuple | list) and len(value) == 2 and all(type(v) is int for v in value):
            return tuple(value)
        raise traitlets.TraitError(f"`padding` is {value!r}; it must be {PADDING}")


class ConvolutionMicroscope(_base.CourseWidget):
    """Move a filter over a picture and see every output number come about.

    Parameters
    ----------
    image : array of shape (H, W) or (C, H, W), or the name of a shipped photo
        Up to 16×16 its numbers are shown and can be changed; a larger one is shown as a photo with a loupe.
        More than 512 pixels a side are resized.
    kernel : array of shape (KH, KW) or (C, KH, KW)
        As deep as the image.
    stride, dilation : int, in pixels
    padding : int, (rows, cols), "same" or "valid"
    bias : float
    flip : bool
        Turn the filter by 180° first: convolution in the strict sense.
    row, col : int
        The output cell that is looked at.
    channel : int
        The channel whose products are shown.
    fn : callable, optional
        The student's ``fn(image, kernel) -> map`` at stride 1 without padding. It is called when image or filter
        changes; its map stands under ours, differing cells ringed.
    **options
        ``size``, ``scale``, ``hide``, ``predict``, as in :class:`CourseWidget`.

    Attributes
    ----------
    output : array of shape (OH, OW)
        The whole map, computed by :func:`cnnlib.conv.conv2d`; None while the filter does not fit.

    Raises
    ------
    ValueError
        The filter is not as deep as the image, or stride or dilation is below 1.

    Examples
    --------
    >>> ConvolutionMicroscope([[1, 2], [3, 4]], [[1, -1]], row=1)
    Window rows 1, columns 0 to 1. Output row 1, column 0: 3·1 + 4·(−1) = −1
    """

    javascript = "microscope.js"
    positional = ("image", "kernel")
    controls = ("stride", "padding", "dilation", "bias", "flip", "step")
    _esm = _compose.compose(javascript)
    _css = _base.style()

    image = _base.Array(2, 3).tag(sync=True, start=True)
    kernel = _base.Array(2, 3).tag(sync=True, start=True)
    stride = Int(1).tag(sync=True, start=True)
    padding = Padding().tag(sync=True, start=True)
    dilation = Int(1).tag(sync=True, start=True)
    bias = Float(0.0).tag(sync=True, start=True)
    flip = Bool(False).tag(sync=True, start=True)
    row = Int(0).tag(sync=True, start=True)
    col = Int(0).tag(sync=True, start=True)
    channel = Int(0).tag(sync=True, start=True)
    output = _base.Array(2)
    _note = Unicode().tag(sync=True)
    _theirs = Dict(default_value=None, allow_none=True).tag(sync=True)

    def __init__(self, image, kernel, *, fn=None, **state):
        pixels, name, note = _picture_of(image)
        super().__init__(image=pixels, kernel=kernel, _note=note, **state)
        self._names |= {"image": name} if name else {}
        self._extra |= {"fn": _named(fn)} if fn else {}
        self._tell_code()
        for option in ("stride", "dilation"):
            geometry.as_int(option, getattr(self, option), 1)
        if self._depth(self.image) != self._depth(self.kernel):
            raise ValueError(f"`kernel` has shape {self.kernel.shape} and `image` {self.image.shape}: "
                             f"a filter is as deep as its image, here ({self._depth(self.image)}, rows, cols)")
        self._fn = fn
        self.observe(lambda change: setattr(self, "_note", ""), "image")  # a new picture is shown as it is
        self.observe(self._compute, ["image", "kernel", "stride", "padding", "dilation", "bias", "flip"])
        self._compute(None)

    @staticmethod
    def _depth(array):
        return array.shape[0] if array.ndim == 3 else 1

    def _compute(self, change):
        """Compute the map, and the student's where image or filter changed."""
        self.output = None if self.problem() else self._conv(self.stride, self._pad(), self.dilation, self.bias)
        if self._fn is not None and (change is None or change.name in ("image", "kernel")):
            self._ask_student()

    def _ask_student(self):
        """Call the student's function at stride 1 without padding; the number tells the browser that it did answer."""
        image, kernel = (np.asarray(a if a.ndim == 3 else a[None], np.float64) for a in (self.image, self.kernel))
        fits = len(image) == len(kernel) and all(k <= n for n, k in self._sides())
        ours = conv.conv2d(image, kernel[None], method="exact")[0] if fits else None
        theirs = _student.answer(self._fn, np.array(self.image), np.array(self.kernel))
        self._theirs = {**_student.compare(theirs, ours), "call": (self._theirs or {"call": 0})["call"] + 1}

    def _planes(self):
        """Return image and filter, as it lies, in double precision with a channel axis."""
        image, kernel = (np.asarray(a if a.ndim == 3 else a[None], np.float64) for a in (self.image, self.kernel))
        return image, kernel[:, ::-1, ::-1] if self.flip else kernel

    def _conv(self, stride, padding, dilation, bias):
        image, kernel = self._planes()
        return conv.conv2d(image, kernel[None], None, stride, padding, dilation, method="exact")[0] + bias

    def _pad(self):
        """Return the zeros as ((top, bottom), (left, right))."""
        if self.padding == "same":
            return tuple(geometry.same_padding(n, k, self.stride, self.dilation) for n, k in self._sides())
        padding = 0 if self.padding == "valid" else self.padding
        return tuple((p, p) for p in (padding if isinstance(padding, tuple) else (padding, padding)))

    def _sides(self):
        """Return (input size, kernel size) for rows and for columns."""
        return tuple(zip(self.image.shape[-2:], self.kernel.shape[-2:]))

    def _fits(self, padding, dilation):
        return all(n + sum(p) >= geometry.effective_size(k, dilation) for (n, k), p in zip(self._sides(), padding))

    def problem(self):
        """Return why this state cannot be computed, with its arithmetic and what would work; else None."""
        for name in ("stride", "dilation"):
            if getattr(self, name) < 1:
                return f"{name} {full(getattr(self, name))}: the smallest is 1"
        zeros = np.atleast_1d(0 if isinstance(self.padding, str) else self.padding)
        widest = zeros.max()
        if zeros.min() < 0:
            return f"padding {full(zeros.min())}: the smallest is 0"
        if widest > RING:
            return f"padding {widest}: the microscope draws at most {RING}"
        depth, image_depth = self._depth(self.kernel), self._depth(self.image)
        if depth != image_depth:
            return (f"the filter has {plural(depth, 'channel')}, the image {image_depth}: "
                    "a filter is as deep as its image")
        return None if self._fits(self._pad(), self.dilation) else self._misfit()

    def _misfit(self):
        sides, pads = self._sides(), self._pad()
        spans = [geometry.effective_size(k, self.dilation) for _, k in sides]
        axis = next(a for a in (0, 1) if sides[a][0] + sum(pads[a]) < spans[a])
        (size, kernel), (before, after) = sides[axis], pads[axis]
        zeros = f"2·{before}" if before == after else f"{before} + {after}"
        spread = f"{self.dilation}·({kernel} − 1) + 1 = {spans[axis]}" if self.dilation > 1 else kernel
        needed = max(-(-(span - n) // 2) for (n, _), span in zip(sides, spans))
        where = "" if sides[0] == sides[1] else f"{('rows', 'columns')[axis]}: "
        return (f"{where}{size} + {zeros} < {spread}: the {'dilated ' if self.dilation > 1 else ''}filter does not "
                f"fit{f'; padding {needed} would' if needed <= RING else ''}")

    def sentence(self):
        """Return the chosen output as the sum that it is, and the window that it comes from."""
        if trouble := self.problem():
            return f"Refused: {trouble}."
        at, pads = self._at(), self._pad()
        first = [i * self.stride - before for i, (before, _) in zip(at, pads)]
        spans = [geometry.effective_size(k, self.dilation) for _, k in self._sides()]
        rows, cols = (places(f, f + s - 1, self.dilation) for f, s in zip(first, spans))
        words, value = self._sum(first)
        return (f"{self._missed()}Window rows {rows}, columns {cols}. "
                f"Output row {at[0]}, column {at[1]}: {words} = {'?' if self.predict else full(value)}")

    def _at(self):
        """Return the chosen output cell, moved inside the map."""
        sizes = [geometry.output_size(n, k, self.stride, p, self.dilation)
                 for (n, k), p in zip(self._sides(), self._pad())]
        return [min(max(i, 0), n - 1) for i, n in zip((self.row, self.col), sizes)]

    def _sum(self, first):
        """Return the sum in words and its value; `first` is the window's first row and column."""
        image, kernel = self._planes()
        pads = self._pad()
        padded = np.pad(image, ((0, 0), *pads))
        window = padded[(slice(None), *(slice(f + before, f + before + self.dilation * (k - 1) + 1, self.dilation)
                                        for f, (before, _), k in zip(first, pads, kernel.shape[1:])))]
        with np.errstate(invalid="ignore"):
            products = (window * kernel).reshape(len(kernel), -1)
            sums = [sum(channel.tolist()) for channel in products]
        terms = [term(p, w) for p, w in zip(window.flat, kernel.flat)] if len(sums) == 1 else [*map(factor, sums)]
        if len(terms) > 9:
            terms = [*terms[:3], f"… ({len(terms)} {'channels' if len(sums) > 1 else 'products'})"]
        bias = f" + bias {full(self.bias)}" if self.bias else ""
        return f"{'channel sums ' * (len(sums) > 1)}{' + '.join(terms)}{bias}", self.bias + sum(sums)

    def _missed(self):
        """Say how many pixels no window reads, if any."""
        read = []
        for (n, k), (before, after) in zip(self._sides(), self._pad()):
            out = geometry.output_size(n, k, self.stride, (before, after), self.dilation)
            taps = np.add.outer(self.stride * np.arange(out), self.dilation * np.arange(k)) - before
            read.append(len(np.intersect1d(taps, np.arange(n))))
        pixels = int(np.prod(self.image.shape[-2:]))
        lost = pixels - read[0] * read[1]
        return f"{lost} of {plural(pixels, 'pixel')} {'is' if lost == 1 else 'are'} read by no window. " if lost else ""

    def figure(self):
        """Return the figure of :func:`cnnlib.plots.plot_convolution` for the chosen output.

        More channels than it draws are shown by the chosen one, under the map of all.
        """
        from cnnlib import plots

        if self.problem() or self.predict or self._depth(self.image) > 4:
            return self._panels()
        row, col = self._at()
        axes = plots.plot_convolution(self.image, self.kernel, row=row, col=col, stride=self.stride,
                                      padding=self._pad(), dilation=self.dilation, bias=self.bias, flip=self.flip)
        return np.ravel(axes)[0].figure

    def _panels(self):
        channel = min(max(self.channel, 0), self._depth(self.image) - 1)
        of = f", channel {channel}" if self._depth(self.image) > 1 else ""
        planes = [a if a.ndim == 2 else a[min(channel, len(a) - 1)] for a in (self.image, self.kernel)]
        panels = [(planes[0], f"input{of}", "input"), (planes[1], f"filter{of}", "weight")]
        if self.output is not None:
            shown = np.full_like(self.output, np.nan) if self.predict else self.output
            panels.append((shown, "output, not yet shown" if self.predict else "output, all channels", "output"))
        return panel_figure(panels, self.sentence())


def _picture_of(image):
    """Return (pixels, the code that names them or None, a note or "") for an array or a photo's name."""
    name = None
    if isinstance(image, str):
        name, image = literal(image), data.photo(image, grey=True)
    image = np.asarray(image)
    if image.ndim == 3 and image.shape[-1] in (3, 4) and min(image.shape[:2]) > 16:
        raise ValueError(f"`image` has shape {image.shape}: channels come first here, (C, H, W); "
                         "cnnlib.images.to_chw turns it")
    size = image.shape[-2:]
    if image.ndim not in (2, 3) or max(size, default=0) <= LARGEST:
        return image, name, ""
    shrink = LARGEST / max(size)
    small = tuple(max(1, round(n * shrink)) for n in size)
    planes = image[None] if image.ndim == 2 else image
    image = np.stack([images.resize(plane, small) for plane in planes]).reshape(*image.shape[:-2], *small)
    return image, name, f"Resized from {size[0]}×{size[1]} to {small[0]}×{small[1]} pixels."


def _named(fn):
    """Return the name by which a cell can give a function again."""
    name = getattr(fn, "__name__", "")
    return name if name.isidentifier() else "fn"
