"""What counts: targets that the loss does not ignore. A mean divides by them, and only they can be right or wrong."""

import math

from cnnlib import _array
from cnnlib._arguments import is_integer

IGNORE = -100  # the class index that losses ignore where they name no other, as torch's do


def ignore_index(engine):
    """Return the class index that the loss ignores."""
    return engine.loss_setting("ignore_index", IGNORE)


def mass(engine, y):
    """Return what the loss's mean over the targets y divides by: whole samples count 1.

    Class indices count unless they are ignored, each by its class's weight where the loss has weights and takes the
    mean. With several targets for a sample, pixels, each is a part of it.
    """
    if not is_integer(y) or not len(y):
        return float(len(y))
    kept = y != ignore_index(engine)
    weight = _class_weight(engine)
    counted = kept.sum() if weight is None else weight[_array.to_numpy(y)[_array.to_numpy(kept)]].sum()
    return float(counted) / max(1, math.prod(y.shape) // len(y))


def weighs_classes(engine):
    """Whether the loss's `weight` is one for each class, so that :func:`mass` knows what a mean divides by."""
    return engine.loss_setting("ignore_index") is not None  # only losses of class indices have that setting


def _class_weight(engine):
    weight = engine.loss_setting("weight") if weighs_classes(engine) and engine.reduction() == "mean" else None
    return None if weight is None else _array.to_numpy(getattr(weight, "data", weight)).astype("float64")


def num_classes(out, y):
    """Return of how many classes out (N, C, ...) holds the scores for targets y (N, ...): 0 where they are none."""
    return out.shape[1] if is_integer(y) and len(out.shape) == len(y.shape) + 1 and out.shape[1] > 1 else 0


def num_correct(engine, out, y):
    """Return how many scores are largest for their target, and of how many that count: 0 for no classes."""
    if not num_classes(out, y):
        return 0, 0
    kept = y != ignore_index(engine)
    return ((out.argmax(1) == y) & kept).sum(), kept.sum()
