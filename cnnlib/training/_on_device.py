"""All samples on the GPU at once: then a step waits for no copy, and other pictures are made there, too."""

import math
import sys

import numpy as np

from cnnlib import _array
from cnnlib.layers import _place
from cnnlib.training._parts import is_out_of_memory

SHARE = 0.5  # of the memory that is free: the rest is for the net, its maps and its gradients
TRIED = 2  # samples on which a function that augments shows what it takes


def bring(data, engine, augment=None):
    """Bring the samples of :class:`Arrays` to the net's GPU, if there is one, room for them, and `augment` allows it.

    What stays on the host goes over batch by batch. No memory is pinned for that: each step ends by reading its loss,
    so that a copy which does not wait would have nothing to run beside.
    """
    example = engine.example
    if not _array.is_torch(example) or not data.count:
        return
    size = sum(math.prod(a.shape) * item for a, item in ((data.x, example.element_size()), (data.y, 8)))
    if size > SHARE * free_bytes(example.device) or not takes_tensors(augment, data, engine):
        return
    try:
        data.here = engine.arrays(data.x, data.y)
    except (MemoryError, RuntimeError) as error:  # what is free may lie in pieces, or be taken by somebody else
        if not is_out_of_memory(error):
            raise


def free_bytes(device):
    """Return how much memory of a GPU is free; 0 for any other device, which gains nothing by a second copy."""
    return sys.modules["torch"].cuda.mem_get_info(device)[0] if device.type == "cuda" else 0


def takes_tensors(augment, data, engine):
    """Whether `augment` makes of a few samples on the GPU what it makes of them on the host, with the same draws."""
    if augment is None:
        return True
    few, y = data.x[:TRIED], data.y[:TRIED]
    x, _ = engine.arrays(few, y)
    try:
        expected, _ = engine.arrays(augment(_place.copy(few), np.random.default_rng(0)), y)
        found = augment(_place.copy(x), np.random.default_rng(0))
    except Exception:  # whatever a function for NumPy says to a tensor; if it is at fault, the first step says so
        return False
    if not (_array.is_torch(found) and found.device == x.device and found.shape == expected.shape):
        return False
    tolerance = 64 * sys.modules["torch"].finfo(x.dtype).eps * max(1.0, float(expected.abs().max()))
    return bool(((found.to(expected) - expected).abs() <= tolerance).all())
