"""Boxes: agreement by hand and by counting pixels, suppression by definition and as others do it; what is refused."""

import numpy as np
import pytest
from helpers import assert_close

from cnnlib import _array
from cnnlib.features.boxes import box_iou, nms

SQUARE = [0, 0, 2, 2]


def random_boxes(rng, count, size=20):
    """Whole-numbered boxes in a picture of size x size, some without area."""
    corners = np.sort(rng.integers(0, size + 1, (count, 2, 2)), axis=1)
    return corners.reshape(count, 4).astype(float)


def by_pixels(box, other, size=20):
    """Agreement of two whole-numbered boxes, by counting pixels."""
    masks = np.zeros((2, size, size), dtype=bool)
    for mask, (row0, col0, row1, col1) in zip(masks, (box, other)):
        mask[int(row0):int(row1), int(col0):int(col1)] = True
    return (masks[0] & masks[1]).sum() / max(1, (masks[0] | masks[1]).sum())


def by_definition(boxes, scores, threshold):
    """Walk through all boxes from the best, and take each that agrees with none taken before."""
    taken = []
    for k in sorted(range(len(boxes)), key=lambda k: -scores[k]):
        if all(by_pixels(boxes[k], boxes[other]) <= threshold for other in taken):
            taken.append(k)
    return taken


@pytest.mark.parametrize("other, expected", [
    (SQUARE, 1), ([0, 1, 2, 3], 1 / 3), ([1, 1, 3, 3], 1 / 7), ([0, 2, 2, 4], 0), ([0, 0, 1, 1], 1 / 4),
    ([5, 5, 6, 6], 0), ([1, 1, 1, 1], 0),
])
def test_known_values(array, other, expected):
    for kind in (np.float64, np.int64):
        boxes, others = array(np.array([SQUARE], dtype=kind)), array(np.array([other, SQUARE], dtype=kind))
        assert_close(box_iou(boxes, others), np.array([[expected, 1]]))


def test_boxes_without_area_agree_with_none(array):
    nothing = array(np.array([[1.0, 1, 1, 1], [3, 0, 3, 9]]))
    assert_close(box_iou(nothing, nothing), np.zeros((2, 2)))
    assert _array.to_numpy(nms(nothing, array(np.array([1.0, 2])))).tolist() == [1, 0]


def test_iou_counts_pixels(array, rng):
    boxes, others = random_boxes(rng, 17), random_boxes(rng, 23)
    iou = box_iou(array(boxes), array(others))
    assert_close(iou, np.array([[by_pixels(box, other) for other in others] for box in boxes]))
    assert_close(iou, _array.to_numpy(box_iou(array(others), array(boxes))).T)
    turned = [1, 0, 3, 2]  # rows and columns swapped
    assert_close(box_iou(array(boxes[:, turned]), array(others[:, turned])), _array.to_numpy(iou))
    moved = 3 * boxes + [5, 7, 5, 7], 3 * others + [5, 7, 5, 7]
    assert_close(box_iou(*map(array, moved)), _array.to_numpy(iou))


@pytest.mark.parametrize("threshold", [0, 0.2, 0.5, 0.9, 1])
def test_nms_by_definition(array, rng, threshold):
    boxes, scores = random_boxes(rng, 60), rng.integers(0, 20, 60) / 10  # scores with ties
    kept = nms(array(boxes), array(scores), threshold)
    assert _array.dtype_name(kept) == "int64"
    assert _array.to_numpy(kept).tolist() == by_definition(boxes, scores, threshold)


def test_nms_laws(rng):
    boxes, scores = random_boxes(rng, 80), rng.normal(size=80)
    kept = nms(boxes, scores, 0.3)
    assert (np.diff(scores[kept]) <= 0).all() and 1 < len(kept) < 80
    assert kept.tolist() == nms(boxes, 7 * scores - 100, 0.3).tolist()  # only the order counts
    again = nms(boxes[kept], scores[kept], 0.3)
    assert again.tolist() == list(range(len(kept)))  # what is left stays
    alike = box_iou(boxes[kept], boxes[kept])
    assert alike[~np.eye(len(kept), dtype=bool)].max() <= 0.3
    gone = np.setdiff1d(np.arange(80), kept)
    better = scores[kept][None] > scores[gone][:, None]
    assert ((box_iou(boxes[gone], boxes[kept]) > 0.3) & better).any(1).all()  # each one gave way to a better one


def test_dtypes_and_layouts(array, rng):
    boxes, scores = random_boxes(rng, 30), rng.normal(size=30)
    single = box_iou(array(boxes.astype("float32")), array(boxes.astype("float32")))
    assert _array.dtype_name(single) == "float32"
    assert_close(single, box_iou(boxes, boxes))
    expected = nms(boxes, scores)
    backwards = boxes[::-1].copy()[::-1]
    backwards.flags.writeable = False
    assert nms(backwards, scores).tolist() == expected.tolist()
    assert nms(boxes.astype(np.uint8), (100 * scores).astype(np.int64)).tolist() == expected.tolist()


def test_nothing(array):
    none = array(np.zeros((0, 4)))
    kept = nms(none, array(np.zeros(0)))
    assert _array.dtype_name(kept) == "int64" and tuple(kept.shape) == (0,)
    assert tuple(box_iou(none, array(np.ones((3, 4)))).shape) == (0, 3)


@pytest.mark.parametrize("threshold", [0.1, 0.3, 0.5, 0.7])
def test_matches_opencv(rng, threshold):
    cv2 = pytest.importorskip("cv2")
    boxes = random_boxes(rng, 200, 100)
    boxes = boxes[((boxes[:, 2:] - boxes[:, :2]) > 0).all(1)]
    scores = (1 + rng.permutation(len(boxes))) / len(boxes)  # without ties, and above 0
    as_xywh = np.stack([boxes[:, 1], boxes[:, 0], boxes[:, 3] - boxes[:, 1], boxes[:, 2] - boxes[:, 0]], 1)
    theirs = cv2.dnn.NMSBoxes(as_xywh.tolist(), scores.tolist(), 0.0, threshold)
    assert nms(boxes, scores, threshold).tolist() == list(theirs)


def test_errors(array):
    good = array(np.array([[0.0, 0, 2, 2]]))
    with pytest.raises(ValueError, match=r"`others` has shape \(4,\); it must be \(K, 4\)"):
        box_iou(good, good[0])
    with pytest.raises(ValueError, match=r"`boxes` has shape \(1, 3\)"):
        nms(good[:, :3], good[0, :1])
    with pytest.raises(ValueError, match=r"`boxes\[1\]` is \[0.0, 3.0, 2.0, 2.0\]; a box is finite and does not end"):
        box_iou(array(np.array([[0.0, 0, 2, 2], [0, 3, 2, 2]])), good)
    with pytest.raises(ValueError, match=r"`boxes\[0\]` is \[0.0, nan, 2.0, 2.0\]"):
        box_iou(array(np.array([[0.0, np.nan, 2, 2]])), good)
    with pytest.raises(ValueError, match=r"`scores` must be an array of shape \(1,\).* of shape \(2,\)"):
        nms(good, array(np.zeros(2)))
    with pytest.raises(ValueError, match="`scores` has 1 of 1 values that are NaN or infinite"):
        nms(good, array(np.array([np.inf])))
    for threshold in (-0.1, 1.5, np.nan, "half"):
        with pytest.raises(ValueError, match=f"`iou_threshold` must be a number from 0 to 1, not {threshold!r}"):
            nms(good, good[:, 0], threshold)


def test_mixed_libraries():
    torch = pytest.importorskip("torch")
    with pytest.raises(TypeError, match="mix NumPy and torch"):
        box_iou(np.zeros((1, 4)), torch.zeros(1, 4))
    with pytest.raises(ValueError, match="`scores` must be an array"):
        nms(np.zeros((1, 4)), torch.zeros(1))
