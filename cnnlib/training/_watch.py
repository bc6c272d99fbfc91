"""Early warnings: what would waste a night is said at the first step where it can be seen."""

import sys
import warnings

import numpy as np

from cnnlib import _array
from cnnlib._arguments import is_integer
from cnnlib.training import _counted

FEWEST_STEPS = 20  # before which nobody need be better than chance


class TrainingWarning(UserWarning):
    """A run is not what it was meant to be; the message says what was seen, and what to try."""


def warn(message):
    """Warn in the name of whoever called fit: of the nearest line outside this package."""
    frame, level = sys._getframe(), 1
    while frame.f_back and frame.f_globals.get("__name__", "").startswith("cnnlib.training"):
        frame, level = frame.f_back, level + 1
    warnings.warn(message, TrainingWarning, stacklevel=level)


class Labels:
    """The class labels of some data: looked at before they are used, and counted.

    Attributes
    ----------
    counts : array (num_classes,), or None
        How often each class was seen that the loss does not ignore; None before the first look, or without classes.
    """

    def __init__(self, engine):
        self.engine, self.classes, self.counts = engine, None, None

    def look(self, name, x, y):
        """Check that all class labels y have a score, at first by asking the net for its output on x, one sample.

        Raises
        ------
        ValueError
            A label is negative, or not below the number of scores.
        """
        if not is_integer(y):
            return
        if self.classes is None:
            with self.engine.evaluating():
                out = self.engine.predict(self.engine.arrays(x, y[:len(x)])[0])
            self.classes = _counted.num_classes(out[0] if isinstance(out, tuple) else out, y)
        if self.classes:
            ignored, y = _counted.ignore_index(self.engine), _array.to_numpy(y)
            check_range(name, y, self.classes, ignored)
            found = np.bincount(y[y != ignored], minlength=self.classes)
            self.counts = found if self.counts is None else self.counts + found


def check_range(name, y, classes, ignore_index):
    """Check that labels lie in 0 .. classes - 1, or are ignore_index."""
    wrong = ((y < 0) | (y >= classes)) & (y != ignore_index)
    if not wrong.any():
        return
    place = np.unravel_index(wrong.argmax(), wrong.shape)
    kept = y[y != ignore_index]
    from_one = "; labels that begin with 1 want y - 1" if kept.min() == 1 and kept.max() == classes else ""
    raise ValueError(f"y of `{name}` holds {y[place]} at [{', '.join(map(str, place))}] ({wrong.sum()} of {y.size} "
                     f"are out of range); the net gives {classes} scores, so labels go from 0 to {classes - 1}"
                     + from_one)


def not_finite(engine, parts, x, y, loss, step, epoch, lr):
    """Return what is known about a loss that is not finite: where in the net it began, and what to try."""
    found = []
    with np.errstate(all="ignore"), engine.watched(lambda *seen: found.append(_seen(*seen)) if not found or
                                                   found[-1][1] else None):
        if len(x):  # of several processes, one may have no rows
            parts.each(lambda x, y: engine.predict(x), x, y)
    begin = f"the loss is {loss} at step {step} (epoch {epoch}), with lr {lr:.3g}: "
    name, finite, layer, weights_finite, _ = found[-1] if found else ("", True, None, True, True)
    if finite:
        return begin + "every layer's output is finite, the loss itself is not; look at its targets"
    where = f"the first layer whose output is not finite is {name!r} ({type(layer).__name__})"
    smaller = f"try lr={lr / 10:.2g}"
    if not weights_finite:
        return begin + f"{where}, whose weights are not finite since the update before; {smaller}"
    if not _array.all_finite(x):
        return begin + f"{where}; the batch itself holds NaN or infinity"
    return begin + f"{where}: its numbers have grown too large; {smaller}"


def _seen(name, layer, x, out):
    """Return (name, whether out is finite, layer, whether its weights are, whether x is)."""
    def finite(values):
        return all(_array.all_finite(a) for a in (values if isinstance(values, tuple) else (values,)))

    own = [getattr(parameter, "data", parameter) for parameter in layer.parameters()]
    return name, finite(out), layer, all(map(_array.all_finite, own)), finite(x)


def check_chance(name, counts, accuracy, epoch):
    """Warn if the answers are no better than always naming the most frequent class; `counts` as in :class:`Labels`."""
    if counts is None or (counts > 0).sum() < 2:
        return
    count, share = counts.sum(), counts.max() / counts.sum()
    if accuracy > share + 2 * np.sqrt(share * (1 - share) / count):
        return
    warn(f"after epoch {epoch} the accuracy on `{name}` is {100 * accuracy:.1f} %: chance, since always naming "
         f"class {counts.argmax()} gives {100 * share:.1f} %. Do x and y belong together, are pixels in "
         "[0, 1], is lr too large (try a tenth) or too small? A net that cannot learn 20 samples by heart has a fault")


def check_finite(name, loss, train_loss, epoch):
    """Warn if the loss on data that are not learnt from is not finite, and return whether."""
    if np.isfinite(loss):
        return False
    warn(f"after epoch {epoch} the loss on `{name}` is {loss}, and that of training {train_loss:.4g}; training goes "
         f"on. Look at the targets of `{name}`, at running statistics (batch norm), and whether lr is too large")
    return True
