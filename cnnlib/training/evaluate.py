"""Loss, accuracy and predictions on data that are not learnt from."""

from typing import NamedTuple

import numpy as np

from cnnlib import _array
from cnnlib._arguments import is_integer
from cnnlib.training._batches import as_data, is_arrays
from cnnlib.training._counted import ignore_index, mass, num_classes, num_correct
from cnnlib.training._engines import engine_for
from cnnlib.training._parts import Parts
from cnnlib.training._watch import Labels

BATCH = 256  # samples at a time: enough for speed, few enough for memory


class Evaluation(NamedTuple):
    """What :func:`evaluate` returns."""

    loss: float  # mean over all samples that count, each by its class's weight if the loss has weights
    accuracy: float | None  # share of targets that count whose score is largest; None where targets are no classes
    predicted: object  # NumPy, int64: for each sample the class of the largest score; None likewise
    target: object  # NumPy: the targets in the same order


def evaluate(model, data, *, loss=None, batch_size=None, device="auto"):
    """Measure a net in evaluation mode; nothing is learnt, and each layer keeps the mode that it was in.

    Parameters
    ----------
    model : net of cnnlib.layers, or torch.nn.Module
    data : (x, y), or iterable of such batches
    loss : callable, optional
        Of (out, target); cross-entropy without.
    batch_size : int, optional
        For arrays; 256 without. It has no influence on the result beyond rounding.
    device : str
        As for :func:`cnnlib.training.fit`.

    Returns
    -------
    Evaluation
        ``loss, accuracy, predicted, target``. Targets that the loss ignores count for neither loss nor accuracy.

    Raises
    ------
    ValueError, TypeError
        As :func:`cnnlib.training.fit`, for the data; or the loss ignores all of their targets.

    Examples
    --------
    >>> from cnnlib import layers
    >>> net = layers.Linear(3, 3)
    >>> net.weight.data[...], net.bias.data[...] = np.eye(3), 0  # the scores are x
    >>> x, y = np.array([[5, 0, 0], [0, 5, 0], [0, 0, 5], [5, 0, 0]], dtype="float32"), np.array([0, 1, 2, 1])
    >>> result = evaluate(net, (x, y))
    >>> result.predicted, result.accuracy
    (array([0, 1, 2, 0]), 0.75)
    """
    engine = engine_for(model, loss, device)
    data = as_data("data", data, BATCH if batch_size is None and is_arrays(data) else batch_size)
    labels = Labels(engine)
    if hasattr(data, "first"):
        labels.look("data", *data.first())
    loss, accuracy, parts = measure_all(engine, data, labels)
    predicted, target = (np.concatenate([_array.to_numpy(part[number]) for part in parts]) for number in (0, 1))
    return Evaluation(loss, accuracy, predicted if accuracy is not None else None, target)


def measure_all(engine, data, labels, processes=None):
    """Return the mean loss, the accuracy or None, and [(predicted, target)]; each process takes its share.

    `labels` has looked at the targets of arrays, and looks here at each batch of an iterable.
    """
    def measure(x, y):
        out, part = engine.predict(x), mass(engine, y)
        value = engine.loss_of(out, y) * (1 if engine.reduction() == "sum" else part) if part else 0.0
        out = out[0] if isinstance(out, tuple) else out
        right, answers = num_correct(engine, out, y)
        return np.array([value, part, float(right), float(answers)]), out.argmax(1) if num_classes(out, y) else y, y

    results, parts = [], Parts("auto", engine)
    with engine.evaluating():
        for number, (x, y) in enumerate(data.batches()):
            if data.count is None:
                labels.look(f"batch {number} of {data.name}", x[:1], y)
            if processes is not None:
                x, y = processes.share(x), processes.share(y)
            if len(x):
                results += parts.each(measure, *engine.arrays(x, y))
    total = sum((sums for sums, _, _ in results), np.zeros(4))
    total = total if processes is None else processes.added(total)
    if not total[1]:
        raise ValueError(f"all targets of `{data.name}` are ignore_index={ignore_index(engine)}, or have weight 0: "
                         "there is nothing to measure")
    return (float(total[0] / total[1]), float(total[2] / total[3]) if total[3] else None,
            [result[1:] for result in results])


def confusion_matrix(target, predicted, num_classes=None):
    """Count how often each class (row) was taken for each class (column).

    Parameters
    ----------
    target, predicted : arrays of shape (N,), int, from 0 up
    num_classes : int, optional
        One more than the largest without.

    Returns
    -------
    array of shape (num_classes, num_classes), int64
        Its diagonal holds the right answers; row k sums to the samples of class k.

    Examples
    --------
    >>> confusion_matrix(np.array([0, 0, 1, 2]), np.array([0, 2, 1, 2]))
    array([[1, 0, 1],
           [0, 1, 0],
           [0, 0, 1]])
    """
    target, predicted = _array.to_numpy(target), _array.to_numpy(predicted)
    for name, a in (("target", target), ("predicted", predicted)):
        if a.ndim != 1 or not is_integer(a) or a.shape != target.shape:
            raise ValueError(f"`{name}` has shape {a.shape} and dtype {a.dtype}; both must be of one shape (N,) and "
                             "hold whole numbers")
    lowest, highest = (int(limit([*target, *predicted, 0])) for limit in (min, max))
    num_classes = highest + 1 if num_classes is None else num_classes
    if highest >= num_classes or lowest < 0:
        raise ValueError(f"`num_classes` is {num_classes}, and the classes go from {lowest} to {highest}; they must "
                         f"lie from 0 to {num_classes - 1}")
    counts = np.bincount(target * num_classes + predicted, minlength=num_classes**2)
    return counts.reshape(num_classes, num_classes)

