"""Data in, batches out: arrays in an order that one seed decides, or whatever an iterable gives."""

import math
from collections.abc import Iterator

import numpy as np

from cnnlib import _array
from cnnlib.training._trace import NoTrace


def as_data(name, data, batch_size):
    """Return the data as :class:`Arrays` or :class:`Given`; `name` is what errors call the argument."""
    if is_arrays(data):
        return Arrays(name, *data, batch_size)
    if hasattr(data, "shape") or not hasattr(data, "__iter__"):
        raise TypeError(f"`{name}` is {_kind(data)}; it must be (x, y), two arrays, or an iterable of such batches")
    return Given(name, data, batch_size)


def is_arrays(data):
    """Whether the data are (x, y), two arrays."""
    return isinstance(data, (tuple, list)) and len(data) == 2 and all(hasattr(a, "shape") for a in data)


class Arrays:
    """All samples at once: an epoch is a new order of them, cut into batches (the last may be smaller)."""

    def __init__(self, name, x, y, batch_size):
        self.name, self.x, self.y = name, x, y
        self.here = None  # (x, y) once more, where the net computes: see _on_device
        check_batch(name, x, y)
        if isinstance(batch_size, bool) or not isinstance(batch_size, (int, np.integer)) or batch_size < 1:
            raise ValueError(f"`batch_size` is {batch_size!r}; with `{name}` as two arrays it must be a whole number "
                             "from 1 up, such as 64")
        self.batch_size = int(batch_size)

    def __len__(self):
        return math.ceil(len(self.x) / self.batch_size)

    @property
    def count(self):
        return len(self.x)

    def first(self):
        """Return one sample as a batch, to ask the net for its output's shape; and all targets."""
        return self.x[:1], self.y

    def batches(self, order=None, skip=0):
        """Yield (x, y), without the first `skip`; `order` (N,) says in which order samples come."""
        order = np.arange(len(self.x)) if order is None else order
        for begin in range(skip * self.batch_size, len(order), self.batch_size):
            rows = order[begin:begin + self.batch_size]
            x, y = self.here or (self.x, self.y)  # asked each time: memory may have run out since
            yield _rows(x, rows), _rows(y, rows)


class Given:
    """Batches that somebody else makes, each epoch as they come."""

    def __init__(self, name, iterable, batch_size):
        if batch_size is not None:
            raise ValueError(f"`batch_size` is {batch_size}, and `{name}` gives batches of its own: leave it out")
        self.name, self.iterable, self.count, self.batch_size = name, iterable, None, None
        self.trace = None  # a Trace, where the run may have to go on in the middle of an epoch

    def __len__(self):
        return len(self.iterable) if hasattr(self.iterable, "__len__") else 0  # 0: not known

    def check_repeatable(self, epochs):
        """Refuse a generator where more than one epoch is wanted: it gives its batches once."""
        if epochs > 1 and isinstance(self.iterable, Iterator):  # no iter() here: it makes a DataLoader draw
            raise ValueError(f"`{self.name}` is a {type(self.iterable).__name__}, which gives its batches once, and "
                             f"`epochs` is {epochs}: a list or a DataLoader can begin again")

    def batches(self, order=None, skip=0):
        """Yield (x, y), without the first `skip`."""
        del order
        given, trace = 0, self.trace or NoTrace()
        trace.begin(skip)
        for batch in self.iterable:
            if not isinstance(batch, (tuple, list)) or len(batch) != 2:
                raise TypeError(f"batch {given} of `{self.name}` is {_kind(batch)}; it must be (x, y)")
            check_batch(f"batch {given} of {self.name}", *batch)
            trace.saw(*batch)
            given += 1
            if given > skip:
                yield tuple(batch)
            elif given == skip:
                trace.arrived()
        if not given:
            raise ValueError(f"`{self.name}` gave no batch")
        if given < skip:
            raise ValueError(f"`{self.name}` gave {given} batches; the run had learnt from {skip} of this epoch when "
                             "its checkpoint was written")


def check_batch(name, x, y):
    """Check that x and y are arrays of as many samples, x finite floats."""
    for word, a in (("x", x), ("y", y)):
        if not (isinstance(a, np.ndarray) or _array.is_torch(a)):
            raise TypeError(f"{word} of `{name}` is {_kind(a)}; it must be a NumPy array or a torch tensor")
    if len(x.shape) == 0 or len(y.shape) == 0 or len(x) != len(y):
        raise ValueError(f"`{name}` has x of shape {tuple(x.shape)} and y of shape {tuple(y.shape)}; they must have "
                         "the same number of samples")
    if len(x) == 0:
        raise ValueError(f"`{name}` is empty: x has shape {tuple(x.shape)}")
    if "float" not in _array.dtype_name(x):
        raise TypeError(f"x of `{name}` has dtype {_array.dtype_name(x)}; a net takes floats: x / 255 turns 8-bit "
                        "pixels into them")
    if not _array.all_finite(x):
        bad = ~np.isfinite(_array.to_numpy(x)).reshape(len(x), -1).all(axis=1)
        raise ValueError(f"x of `{name}` holds NaN or infinity in {bad.sum()} of {len(x)} samples, the first of them "
                         f"sample {bad.argmax()}")


def _rows(a, rows):
    if _array.is_torch(a):
        return a[_array.library(a=a).as_tensor(rows, device=a.device)]
    return a[rows]


def _kind(value):
    return f"a {type(value).__name__}" + (f" of {len(value)}" if isinstance(value, (tuple, list)) else "")
