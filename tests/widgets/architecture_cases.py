"""Drawn states of the architecture explorer and what Python answers: test_js.py puts them to the JavaScript."""

from network_cases import small_net

from cnnlib import layers
from cnnlib.plots.architecture import amount
from cnnlib.widgets._architecture import field_of, measured, paths, scaled_apart, trail, unit_of, units
from cnnlib.widgets.architecture_explorer import ArchitectureExplorer

NAMES = ("vgg16", "resnet18", "googlenet", "alexnet", "mobilenet2", "densenet121")
MEASURES = ("params", "mult-adds", "memory", "field")


def oblong():
    """A net whose windows, steps and zeros differ between rows and columns."""
    nn = layers
    return nn.Sequential({
        "first": nn.Conv2d(2, 4, (3, 5), stride=(1, 2), padding=(1, 0)), "sum": nn.Residual(
            nn.Sequential(nn.Conv2d(4, 4, (1, 3), padding=(0, 1)), nn.ReLU())), "side": nn.Concat(
                nn.Conv2d(4, 3, 1), nn.Conv2d(4, 2, 3, padding=1)), "end": nn.AvgPool2d((2, 1))})


class Odd(layers.Module):
    """Every second row: of a kind that nobody knows."""

    def forward(self, x):
        return x[:, :, ::2]


def opaque():
    """A net with a layer that has no rule of shapes, once in a stage that is made of stages."""
    nn = layers
    return nn.Sequential({"first": nn.Conv2d(1, 4, 3, padding=1), "odd": Odd(), "both": nn.Sequential(
        nn.Conv2d(4, 6, 3), Odd()), "flat": nn.Flatten(), "fc": nn.Linear(6 * 5 * 18, 3)})


def architecture_cases(rng, plain):
    """Each net once with all its stages, and states of it."""
    del plain
    made = [ArchitectureExplorer(name, photo=None) for name in NAMES]
    made += [ArchitectureExplorer(oblong(), input_shape=(2, 40, 57), photo=None),
             ArchitectureExplorer(small_net(), input_shape=(1, 8, 8), photo="cat"),
             ArchitectureExplorer(opaque(), input_shape=(1, 24, 20), photo=None)]
    return [_net_case(widget, rng) for widget in made]


def _net_case(widget, rng):
    every, states = paths(widget._net["stages"]), []
    for k in range(24):
        widget.stage = every[int(rng.integers(len(every)))] if k else every[0]
        widget.row, widget.col = (None if rng.integers(3) == 0 else int(rng.integers(-2, 60)) for _ in range(2))
        widget.measure = MEASURES[k % 4]
        widget.compare = [None, *widget._others][int(rng.integers(1 + len(widget._others)))]
        stages = widget._others[widget.compare]["stages"] if widget.compare else []
        widget.compare_stage = [None, *(each["path"] for each in stages)][int(rng.integers(1 + len(stages)))]
        widget.predict = k % 9 == 0
        states.append(_state_case(widget))
    return {"net": widget._net, "others": widget._others, "states": states, "pattern": widget._code,
            "amounts": [[stage["parameters"], amount(stage["parameters"])] for stage in widget._net["stages"]]}


def _state_case(widget):
    way = trail(widget._net, widget.stage)
    level, node = way[-2]["parts"] if len(way) > 1 else widget._net["stages"], way[-1]
    at, unit = level.index(node), unit_of(node, widget.row, widget.col)
    keys = {"left": level[max(0, at - 1)], "right": level[min(len(level) - 1, at + 1)],
            "down": node["parts"][0] if node["parts"] else node, "up": way[-2] if len(way) > 1 else node}
    apart = scaled_apart([widget._net, widget._others.get(widget.compare, widget._net)], widget.measure)
    return {"state": {name: getattr(widget, name) for name in widget._opening}, "sentence": widget.sentence(),
            "code": widget.code(), "keys": {key: to["path"] for key, to in keys.items()}, "unit": unit,
            "units": units(node), "apart": apart, "field": field_of(node, unit),
            "value": measured(node, widget.measure)}
