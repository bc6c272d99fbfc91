"""Drawn states of the scale-space walker and what Python answers: test_js.py puts them to the JavaScript."""

import numpy as np
from refusals import refused

from cnnlib import data
from cnnlib.features import sift
from cnnlib.widgets.scale_space_walker import REJECTED, ScaleSpaceWalker

PHOTOS = ("camera", "coins", "brick", "text")
REFUSED = ({"sigma": 0.5}, {"sigma": 400.0}, {"contrast": 0.001}, {"edge_ratio": 1.0}, {"keypoint": -1},
           {"keypoint": 1000})


def picture(rng, k):
    """A part of a photo, noise, blobs of whole levels, or a flat picture; some of few pixels."""
    shape = rng.integers(6, 70, 2) if k % 3 else rng.integers(40, 110, 2)
    if k % 4 < 2:
        photo = data.photo(PHOTOS[k // 4 % 4])
        row, col = (int(rng.integers(max(have - want, 1))) for have, want in zip(photo.shape, shape))
        return photo[row:row + shape[0], col:col + shape[1]]
    if k % 4 == 2:
        return np.kron(rng.integers(0, 2, shape // 5 + 2), np.ones((5, 5)))
    return rng.integers(0, 256, shape).astype(np.uint8) if k % 8 == 3 else np.full(shape, 0.5)


def case(rng, k, plain):
    widget = ScaleSpaceWalker(
        picture(rng, k), contrast=[0.04, 0.005, 0.1, 0.02][k % 4], edge_ratio=[10, 3.5, 40][k % 3],
        rejected=[name for name in REJECTED if rng.integers(2)], show=["both", "blur", "difference"][k % 3],
        predict=bool(k % 9 == 0))
    widget.sigma = float(widget.blur(rng.uniform(1, widget.levels)))
    choices = len(widget.keypoints) + len(widget.candidates)
    if choices and k % 5:
        widget.keypoint = int(rng.integers(len(widget.keypoints) or choices if k % 2 else choices))
    return answers(widget, plain)


def answers(widget, plain):
    state = {name: getattr(widget, name) for name in widget._opening} | {"image": plain(widget.image)}
    found = {"state": state, "problem": widget.problem(), "sentence": widget.sentence(), "code": widget.code(),
             "pattern": widget._code, "table": widget._table is not None and plain(widget._table),
             "peaks": widget._peaks is not None and plain(widget._peaks)}
    if widget.problem():
        return found
    points, rejected = widget.keypoints, widget.candidates
    found |= {"kept": [plain(points.positions), plain(points.sigma), plain(points.orientation)],
              "rejected": [plain(rejected.positions), plain(rejected.sigma), rejected.words]}
    if widget.descriptor is not None:
        one = points[widget.keypoint]
        patch, inside = sift.patches(widget._space, one)
        found |= {"descriptor": plain(widget.descriptor), "patch": plain(patch[0]), "inside": plain(inside[0])}
        candidates = sift.candidates(widget._space, contrast_threshold=widget.contrast, edge_ratio=widget.edge_ratio)
        at = np.flatnonzero((candidates.positions == one.positions[0]).all(1) & (candidates.sigma == one.sigma[0]))[0]
        octave, layer, row, col = (int(getattr(candidates, name)[at]) for name in ("octave", "layer", "row", "col"))
        cube = widget._space.differences(octave)[layer - 1:layer + 2, row - 1:row + 2, col - 1:col + 2]
        directions = sift.orientation_histograms(widget._space, one)
        found |= {"cube": plain(cube), "directions": plain(directions[0])}
    return found


def walker_cases(rng, plain):
    """Return the cases; `plain(array)` writes an array as JSON can hold it."""
    found = [case(rng, k, plain) for k in range(48)]
    return found + refused(lambda: ScaleSpaceWalker(data.photo("coins")[:60, :70]), REFUSED, answers, plain)
