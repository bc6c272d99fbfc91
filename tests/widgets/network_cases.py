"""Networks and drawings for the tests of the viewer: drawn from a seed, answered by the library."""

import numpy as np

from cnnlib import layers
from cnnlib.widgets._network import parts
from cnnlib.widgets._seen import seen

BROKEN = {6: np.nan, 7: 3e38}  # the number of a net, and what two of its weights are: no numbers, or far too large


def small_net(nn=layers, seed=0):
    """A net with everything that the browser knows of a usual one; 8×8 pixels, five classes."""
    net = nn.Sequential({
        "conv": nn.Conv2d(1, 4, 3, padding=1), "relu": nn.ReLU(), "pool": nn.MaxPool2d(2),
        "deep": nn.Conv2d(4, 6, 3), "relu2": nn.ReLU(), "flatten": nn.Flatten(), "fc": nn.Linear(24, 5)})
    return redrawn(net, seed) if nn is layers else net


def gelu_net():
    """A net with a layer that only Python computes."""
    nn = layers
    return redrawn(nn.Sequential(nn.Conv2d(1, 4, 3), nn.GELU(), nn.Flatten(), nn.Linear(144, 5)), 5)


def redrawn(net, seed):
    """Draw all weights, of the same sizes for every seed, so that about half of the units speak."""
    rng = np.random.default_rng([seed, 23])
    for parameter in net.parameters():
        parameter.data[...] = rng.normal(size=parameter.shape) / np.sqrt(max(1, np.prod(parameter.shape[1:])) / 2)
    return net


def nets():
    """Yield (net, input shape): every kind of layer that the browser computes, odd and unequal sizes."""
    nn = layers
    yield nn.Sequential(nn.Flatten(), nn.Linear(35, 3)), (1, 5, 7)
    yield nn.Sequential(nn.Conv2d(3, 4, (3, 2), stride=2, padding=(1, 0)), nn.Tanh(), nn.AvgPool2d(2, 1), nn.Flatten(),
                        nn.Linear(48, 6), nn.Sigmoid(), nn.Linear(6, 3)), (3, 9, 8)
    yield nn.Sequential(nn.Conv2d(2, 6, 3, dilation=2, padding="same", groups=2), nn.LeakyReLU(0.1),
                        nn.MaxPool2d(3, 2, padding=1), nn.Conv2d(6, 4, 1, bias=False), nn.BatchNorm2d(4), nn.ReLU(),
                        nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Dropout(0.5), nn.Linear(4, 7)), (2, 11, 9)
    yield nn.Sequential(nn.TableConv2d([(0,), (0, 1), (1, 2)], 3), nn.ScaledTanh(), nn.Subsample2d(3), nn.ScaledTanh(),
                        nn.Flatten(), nn.Linear(36, 4), nn.BatchNorm1d(4)), (3, 10, 9)
    yield nn.Sequential(nn.ReLU(), nn.AvgPool2d(2, padding=1), nn.Conv2d(1, 3, 4, padding=((1, 2), (0, 1))),
                        nn.Flatten(), nn.Linear(12, 2), nn.Softmax(1)), (1, 6, 5)
    body = nn.Sequential({"c": nn.Conv2d(1, 5, 6), "r": nn.ReLU()})
    yield nn.Sequential({"body": body, "out": nn.Conv2d(5, 4, 1)}), (1, 6, 6)
    for _ in BROKEN:
        yield nn.Sequential(nn.Conv2d(1, 2, 3), nn.ReLU(), nn.Flatten(), nn.Linear(18, 3), nn.Linear(3, 3)), (1, 5, 5)


def drawing_of(rng, shape):
    """A few strokes' worth of ink: many zeros, some ones, some between."""
    return np.clip(rng.normal(size=shape) * 1.5 - 1, 0, 1).astype(np.float32)


def seen_cases(rng):
    """Drawings and what the network sees of them."""
    for k in range(60):
        grain = int(rng.choice([1, 1, 2, 4]))
        shape = tuple(grain * rng.integers(3, 9, 2))
        drawing = drawing_of(rng, shape) * (rng.random(shape) < 0.3) if k % 10 else np.zeros(shape)
        setting = dict(fit=("framed", "drawn")[int(k % 3 == 0)], margin=int(rng.integers(0, (min(shape) - 1) // 2 + 1)),
                       grain=grain)
        yield setting, drawing, seen(drawing, **setting)


def network_cases(rng, plain):
    """States of viewers and all their numbers, for static/kit/network.js, kit/seen.js and network_words.js."""
    from cnnlib.widgets import NetworkViewer

    numbers, words = [], []
    for seed, (net, shape) in enumerate(nets()):
        redrawn(net, seed)
        for module in net.modules():
            if hasattr(module, "running_mean"):
                module.running_mean.data[...] = rng.normal(size=module.running_mean.data.shape)
                module.running_var.data[...] = rng.uniform(0.5, 2, module.running_var.data.shape)
        if seed in BROKEN:
            list(net.parameters())[0].data.flat[:2] = BROKEN[seed]
        for k in range(6):
            drawing, fit = drawing_of(rng, shape[1:]) * bool(k), "framed" if k % 2 else "drawn"
            viewer = NetworkViewer(net, shape, drawing=drawing, fit=fit)
            assert viewer.computed_by == "browser"
            viewer.target = None if k == 1 else int(rng.integers(len(viewer.logits)))
            numbers.append({"stages": viewer._stages, "weights": plain(viewer._weights), "shape": list(shape),
                            "picture": plain(viewer._picture()), "target": viewer._target(),
                            "outs": [plain(out) for out in viewer.outs()],
                            "grads": [plain(grad) for grad in viewer.gradients()]})
            stages, at = viewer._network.stages, int(rng.integers(len(viewer._network.stages)))
            viewer.selected = [at, *(int(rng.integers(n)) for n in stages[at].shape)] * bool(k % 3)
            viewer.direction = "backward" if k % 2 else "forward"
            channel, viewer.trained = int(rng.integers(7)), (None, False, True, None)[k % 4]
            viewer.channel = None if k == 4 else channel
            viewer.labels = [f"class {n}" for n in range(len(viewer.logits))] * (k // 3)
            state = {name: getattr(viewer, name) for name in viewer._opening}
            words.append({"net": len(numbers) - 1, "sums": sums_of(viewer),
                          "state": {**state, "drawing": plain(viewer.drawing)},
                          "sentence": viewer.sentence(), "code": viewer.code(), "pattern": viewer._code})
    views = [{"setting": setting, "drawing": plain(drawing), "seen": plain(out)}
             for setting, drawing, out in seen_cases(rng)]
    return {"numbers": numbers, "words": words, "seen": views, "pages": [*page_cases(rng, plain)]}


def sums_of(viewer):
    """Return what each map that the kept unit of a convolution reads gives to it, or None."""
    at = viewer._at()
    if not at or viewer._network.stages[at[0]].kind != "conv":
        return None
    before = viewer.outs()[at[0] - 1] if at[0] else viewer._picture()
    values, weights = parts(viewer._network.stages[at[0]], before, *at[1:])
    sums = (values.astype(np.float64) * weights).sum((1, 2))
    return [x if np.isfinite(x) else str(x) for x in sums.tolist()]


def page_cases(rng, plain):
    """Maps, some silent, some equal, some no numbers, and which of them each page shows."""
    from cnnlib.widgets.network_viewer import pages_of, shown

    for shape in ((32, 2, 2), (33, 3, 1), (40, 2, 2), (256, 1, 2), (240, 1, 1), (250, 1, 1), (500, 1, 1)):
        value = np.round(rng.normal(size=shape), 1) * (rng.random((shape[0], 1, 1)) < 0.7)
        value[5] = np.nan
        yield {"value": plain(value), "pages": [shown(value, k).tolist() for k in range(pages_of(shape))]}
