"""Nets that look where they are told to, drawn answers, and what Python says: test_js.py puts them to JavaScript."""

import numpy as np

from cnnlib import data, layers
from cnnlib.inspection.occluded import FILLS
from cnnlib.widgets import _occlusion
from cnnlib.widgets.occlusion_viewer import OcclusionViewer

SIDE = 16  # pixels: the square that `looking_net` looks at


def looking_net(size, row, col, side=SIDE, channels=1, gain=12.0):
    """A net that sees one square alone: class 1 for a bright one, else class 2; class 0 never wins."""
    nn = layers
    net = nn.Sequential({"flatten": nn.Flatten(), "fc": nn.Linear(channels * size[0] * size[1], 3)})
    weight, bias = np.zeros((3, channels, *size)), np.array([-0.5, -gain / 2, 0.5])
    weight[1, :, row:row + side, col:col + side] = gain / (channels * side * side)
    net.fc.weight.set(weight.reshape(3, -1))
    net.fc.bias.set(bias)
    return net


def picture(size=(40, 48), bright=None):
    """A piece of a photo; `bright`, (row, col, side), is a square in it that is lit."""
    image = data.photo("camera")[100:100 + size[0], 200:200 + size[1]] * 0.6
    if bright is not None:
        row, col, side = bright
        image[row:row + side, col:col + side] = 0.95
    return image.astype(np.float32)


def looked_at(row=12, col=20, **state):
    """Return the arguments of a viewer whose net looks at the one square that is lit."""
    return looking_net((40, 48), row, col), picture(bright=(row, col, SIDE))


def drawn_scene(rng, k):
    """A state and answers, drawn: maps with holes, places, units; classes that are listed or not."""
    size = [int(n) for n in rng.integers(6, 30, 2)]
    count = int(rng.choice([2, 3, 5, 30]))
    shares = rng.dirichlet(np.full(count, 0.3))
    target = [None, int(rng.integers(count))][k % 2]
    classes = _occlusion.listed(shares, target)
    layers = [{"name": name, "shape": [int(n) for n in rng.integers(1, 7, 3)]} for name in ("conv1", "block.relu")]
    s = {"target": target, "patch": int(rng.integers(-1, 12)), "stride": int(rng.integers(0, 6)),
         "fill": FILLS[k % 4], "row": [None, int(rng.integers(-4, 32))][k // 3 % 2], "col": int(rng.integers(-4, 32)),
         "view": ["occlusion", "occlusion", "deconvnet"][k % 3], "layer": [None, "conv1", "block.relu"][k // 2 % 3],
         "channel": int(rng.integers(-1, 8)), "unit": [None, rng.integers(-1, 8, 2).tolist()][k // 4 % 2],
         "watch": None, "scanned": bool(k % 2), "weights": "",
         "labels": [[], [f"thing {i}" for i in range(count)]][k // 5 % 2]}
    if k % 7:
        s["patch"], s["stride"] = max(1, min(s["patch"], *size)), max(1, s["stride"])
    whole = [float(x) for x in _occlusion.row_of(shares, classes)]
    scene = _occlusion.Scene(tuple(size), classes, whole, layers, {}, {}, {})
    if k % 3 == 1:
        s["watch"], s["target"] = ["block.relu", k % 5, 2, 3], _occlusion.WATCHED if k % 2 else target
        scene.classes, scene.level = [*classes, _occlusion.WATCHED], float(np.round(rng.random(), 3))
        scene.whole = [*whole[:-2], 1.0, *whole[-2:]]
    if _occlusion.problem(s | {"view": "occlusion"}, size) is None:
        rows, cols = _occlusion.grid(size, s["patch"], s["stride"])
        answers = rng.dirichlet(np.full(count, 0.3), (rows, cols))
        if s["watch"]:
            answers = np.concatenate([answers, 1.5 * rng.random((rows, cols, 1))], -1)
        table = _occlusion.row_of(answers, scene.classes)
        if k % 5 == 0:
            table[..., :] = np.round(table, 1)  # ties, and no change
            table[..., -2] = scene.top
        if k % 4 == 1:
            table[rng.random((rows, cols)) < 0.5] = np.nan
        if k % 6:
            scene.maps[s["patch"], s["stride"], s["fill"]] = table
        elif k % 12 and s["row"] is not None:
            i, j = _occlusion.place(s, size)
            scene.places[s["patch"], s["fill"], i * s["stride"], j * s["stride"]] = table[i, j]
    if k % 4:
        at = [int(n) for n in rng.integers(0, 3, 2)]
        first, far = rng.integers(-4, 5, 2), rng.integers(1, 9, 2)
        scene.units[scene.unit_key(s)] = {"at": at, "value": float(np.round(rng.normal(), 3) * (k % 8 > 1)),
                                          "first": [min(int(f), n - 1) for f, n in zip(first, size)],
                                          "size": [max(int(n), 1 - int(f)) for f, n in zip(first, far)]}
    return s, scene


def answers(s, scene, plain):
    """Return a case: state, what is known, and what Python says of them."""
    trouble = _occlusion.problem(s, scene.size)
    covered = trouble is None and _occlusion.place(s, scene.size) is not None
    row = scene.answer(s) if covered else None
    found = {"state": {name: value for name, value in s.items() if name != "image"}, "problem": trouble,
             "sentences": [_occlusion.sentence(s, scene, hidden) for hidden in (0, 1)],
             "place": _occlusion.place(s, scene.size) if covered else None,
             "answer": None if row is None else plain(row)["data"],
             "unit_key": list(scene.unit_key(s)) if scene.layers else [],
             "scene": {"size": list(scene.size), "classes": scene.classes, "whole": scene.whole,
                       "layers": scene.layers, "level": scene.level},
             "maps": [[list(key), plain(table)] for key, table in scene.maps.items()],
             "places": [[list(key), plain(row)["data"]] for key, row in scene.places.items()],
             "units": [[list(key), unit] for key, unit in scene.units.items()]}
    return found


def watching():
    """Return the arguments of a viewer whose net has a unit that sees a window of 5×5 in the middle of a picture."""
    nn = layers
    net = nn.Sequential({"conv1": nn.Conv2d(1, 2, 3), "relu1": nn.ReLU(), "conv2": nn.Conv2d(2, 3, 3),
                         "relu2": nn.ReLU(), "flatten": nn.Flatten(), "fc": nn.Linear(3 * 14 * 14, 4)})
    rng = np.random.default_rng(7)
    for parameter in net.parameters():
        parameter.set(rng.random(parameter.shape) / 10)
    return net, (0.2 + 0.8 * rng.random((1, 18, 18))).astype(np.float32)


def real_cases(plain):
    """A net asked about a photo: every place, and the code that makes it; then a unit of a net."""
    for fill in FILLS:
        widget = OcclusionViewer(*looked_at(), patch=9, stride=5, fill=fill, scanned=True, row=11, col=23)
        yield {**answers(widget._state(), widget._known, plain), "sentence": widget.sentence(), "code": widget.code(),
               "pattern": widget._code, "heat": plain(widget.heat), "winner": widget.winner.ravel().tolist()}
    widget = OcclusionViewer(*watching(), watch=("relu2", 1, (6, 8)), patch=3, stride=2, fill="mean", scanned=True)
    yield {**answers(widget._state(), widget._known, plain), "sentence": widget.sentence(), "code": widget.code(),
           "pattern": widget._code, "heat": plain(widget.heat), "winner": widget.winner.ravel().tolist()}


def occlusion_cases(rng, plain):
    """Return the cases; `plain(array)` writes an array as JSON can hold it."""
    drawn = [answers(*drawn_scene(rng, k), plain) for k in range(160)]
    percents = [float(x) for x in np.float32([0, 1, 0.5, 0.004, 0.005, 0.0049999, 0.994, 0.995, 0.9949999, 1e-9,
                                              0.985, 0.015, *rng.random(40)])]
    return {"drawn": drawn, "real": list(real_cases(plain)),
            "percents": [[share, _occlusion.percent(share)] for share in percents]}
