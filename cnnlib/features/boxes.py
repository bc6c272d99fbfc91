"""Boxes around what was found: how far two of them agree, and which of many remain."""

from numbers import Real

from cnnlib import _array


def box_iou(boxes, others):
    """Return how far boxes agree: the area that two have in common, over the area that they cover together.

    Parameters
    ----------
    boxes : array of shape (K, 4)
        NumPy or torch; first row, first column, last row, last column, as edges between pixels: the box of the whole
        picture is 0, 0, H, W.
    others : array of shape (L, 4)

    Returns
    -------
    array of shape (K, L), 0 (apart) to 1 (the same), in the boxes' dtype, or float64 for integers
        A box without area agrees with none.

    Raises
    ------
    ValueError
        The shapes are others, a number is NaN or infinite, or a box ends before it begins.

    Notes
    -----
    Also called Jaccard index. Two equal boxes that are shifted by half their side along both axes agree to 1/7 only.

    Examples
    --------
    >>> import numpy as np
    >>> box_iou(np.array([[0.0, 0.0, 2.0, 2.0]]), np.array([[0.0, 1.0, 2.0, 3.0], [0.0, 0.0, 2.0, 2.0]])).round(3)
    array([[0.333, 1.   ]])
    """
    return _agreement(*_checked(boxes=boxes, others=others))


def nms(boxes, scores, iou_threshold=0.5):
    """Keep the best of each group of boxes that agree: non-maximum suppression.

    The box with the highest score stays, and all that agree with it beyond the threshold go; then the highest of the
    rest, and so on.

    Parameters
    ----------
    boxes : array of shape (K, 4)
        As in :func:`box_iou`.
    scores : array of shape (K,)
    iou_threshold : float, 0 to 1
        Boxes that agree more than this are taken for the same thing.

    Returns
    -------
    int64 array of shape (kept,)
        Indices of the boxes that stay, the highest score first; of equal scores the one that comes first.

    Raises
    ------
    ValueError
        As in :func:`box_iou`; or there are not as many scores as boxes, a score is not finite, or the threshold lies
        outside of 0 to 1.

    Notes
    -----
    Equal to torchvision.ops.nms and, for one class, to cv2.dnn.NMSBoxes.

    Examples
    --------
    >>> import numpy as np
    >>> boxes = np.array([[0, 0, 9, 9], [1, 0, 10, 9], [20, 20, 29, 29]])
    >>> nms(boxes, np.array([0.7, 0.9, 0.8]))  # the first two agree: 72 pixels of 90
    array([1, 2])
    """
    [boxes] = _checked(boxes=boxes)
    xp = _array.library(boxes=boxes)
    if not isinstance(iou_threshold, Real) or not 0 <= iou_threshold <= 1:
        raise ValueError(f"`iou_threshold` must be a number from 0 to 1, not {iou_threshold!r}")
    if _array.is_torch(scores) != _array.is_torch(boxes) or tuple(scores.shape) != (len(boxes),):
        raise ValueError(f"`scores` must be an array of shape ({len(boxes)},), one for each box, beside `boxes`; "
                         f"not {type(scores).__name__} of shape {tuple(getattr(scores, 'shape', ()))}")
    scores = _array.as_dtype(scores, "float64")
    if not _array.all_finite(scores):
        raise ValueError(f"`scores` has {int((~xp.isfinite(scores)).sum())} of {len(scores)} values that are NaN or "
                         "infinite, which have no order")
    left, kept = scores == scores, []  # all are left
    while left.any():
        best = xp.argmax(xp.where(left, scores, -float("inf")))
        kept.append(best)
        left &= _agreement(boxes[best][None], boxes)[0] <= iou_threshold
        left[best] = False  # also a box without area, which does not agree with itself
    return xp.stack(kept) if kept else xp.argmax(boxes, 1)


def _agreement(boxes, others):
    """Intersection over union of checked boxes."""
    xp = _array.library(boxes=boxes)
    first = xp.maximum(boxes[:, None, :2], others[:, :2])
    last = xp.minimum(boxes[:, None, 2:], others[:, 2:])
    common = _area(first, last)
    together = _area(boxes[:, :2], boxes[:, 2:])[:, None] + _area(others[:, :2], others[:, 2:]) - common
    return common / xp.where(together > 0, together, 1)


def _area(first, last):
    """Area between two corners, 0 where the last one is not beyond the first."""
    sides = (last - first).clip(min=0)
    return sides[..., 0] * sides[..., 1]


def _checked(**arrays):
    """Return the boxes as floats, after checking that they are boxes."""
    xp = _array.library(**arrays)
    result = []
    for name, boxes in arrays.items():
        if boxes.ndim != 2 or boxes.shape[1] != 4:
            raise ValueError(f"`{name}` has shape {tuple(boxes.shape)}; it must be (K, 4): first row, first column, "
                             "last row, last column")
        boxes = boxes if _array.dtype_name(boxes) in ("float32", "float64") else _array.as_dtype(boxes, "float64")
        wrong = ~(xp.isfinite(boxes).all(1) & (boxes[:, 2:] >= boxes[:, :2]).all(1))
        if wrong.any():
            k = int(_array.to_numpy(wrong).argmax())
            raise ValueError(f"`{name}[{k}]` is {_array.to_numpy(boxes[k]).tolist()}; a box is finite and does not end "
                             "before it begins: first row, first column, last row, last column")
        result.append(boxes)
    return result
