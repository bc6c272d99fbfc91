"""The shape builder's Python side: reading layers, the table, refusals, code for both engines."""

import numpy as np
import pytest

pytest.importorskip("anywidget")

from cnnlib.widgets import ShapeBuilder
from cnnlib.widgets.shape_builder import PRESETS, read_layers


def test_first_row():
    builder = ShapeBuilder((3, 32, 32), ["conv 10 5 1 2"])
    assert builder.table == [{"shape": [10, 32, 32], "parameters": 760, "multiply_adds": 768_000, "note": "",
                              "sees": [5, 5], "jump": [1, 1]}]
    assert builder.valid and builder.sentence() == "Row 1, conv: 10×32×32, 760 parameters, each neuron sees 5×5."


def test_refusal_stops_what_follows():
    builder = ShapeBuilder((1, 7, 7), ["conv 1 3 3", "relu", "max 2"])
    assert builder.table == [{"trouble": "does not fit: (7 − 3)/3 + 1 = 2.33"}, {"waits": 1}, {"waits": 1}]
    assert not builder.valid and builder.sentence() == "Row 3, max: waits for row 1."
    builder.rounding = "drop"
    assert builder.table[0]["shape"] == [1, 2, 2] and builder.table[0]["note"] == "drops 1 row, 1 column"
    builder.rounding = "fill"
    assert builder.table[0]["shape"] == [1, 3, 3] and builder.table[0]["note"] == "fills 2 rows, 2 columns with zeros"


def test_reading():
    assert [layer["stride"] for layer in read_layers("max 3, max 3 2, conv 8 3")] == [3, 2, 1]
    assert read_layers([{"kind": "conv", "out_channels": 4, "kernel_size": 3}])[0]["groups"] == 1
    for layer, match in (("pool 2", "'pool 2'; a layer is a kind and its whole numbers"),
                         ("conv 8", "'conv 8', without its size"), ("max two", "'max two'; a layer is"),
                         ({"kind": "lstm"}, "its kind must be one of conv, max")):
        with pytest.raises(ValueError, match=match):
            ShapeBuilder((3, 8, 8), [layer])
    with pytest.raises(ValueError, match="`input_shape` is 0; it must be at least 1"):
        ShapeBuilder((0, 8, 8))


def test_a_module_is_read_and_never_guessed():
    nn = pytest.importorskip("torch").nn
    model = nn.Sequential(nn.Conv2d(3, 8, 3, padding=1), nn.BatchNorm2d(8), nn.ReLU(), nn.Sequential(nn.MaxPool2d(2)),
                          nn.Flatten(), nn.Linear(8 * 16 * 16, 10))
    builder = ShapeBuilder((3, 32, 32), model)
    assert sum(row["parameters"] for row in builder.table) == sum(p.numel() for p in model.parameters())
    assert builder.table[-1]["shape"] == list(model(__import__("torch").zeros(1, 3, 32, 32)).shape[1:])
    opaque = ShapeBuilder((3, 32, 32), nn.Sequential(nn.Conv2d(3, 8, 3, padding="same"), nn.PixelShuffle(2), nn.ReLU()))
    assert [row.get("trouble") for row in opaque.table] == ["Conv2d: shape unknown here", None, None]
    assert opaque.table[2] == {"waits": 1}


@pytest.mark.parametrize("name", PRESETS)
def test_code_builds_the_network_in_torch(name):
    torch = pytest.importorskip("torch")
    builder = ShapeBuilder(layers=name, photo=None)
    space = {}
    with torch.device("meta"):  # shapes and counts only: VGG-16's half gigabyte is never allocated
        exec(builder.to_code("torch"), space)
        out = space["model"](torch.zeros(1, *builder.input_shape))
    assert list(out.shape[1:]) == builder.table[-1]["shape"]
    assert sum(p.numel() for p in space["model"].parameters()) == sum(row["parameters"] for row in builder.table)
    assert builder.to_code("layers").startswith("from cnnlib import layers as nn\n")


def test_code_refuses_what_does_not_stand():
    with pytest.raises(ValueError, match=r"row 1 does not stand: does not fit: \(7 − 3\)/3"):
        ShapeBuilder((1, 7, 7), ["conv 1 3 3"]).to_code()
    with pytest.raises(ValueError, match="filled with zeros on one side"):
        ShapeBuilder((1, 7, 7), ["conv 1 3 3"], rounding="fill").to_code()
    with pytest.raises(ValueError, match="`engine` is 'keras'"):
        ShapeBuilder().to_code("keras")


def test_the_photo_has_the_resolution_of_the_input():
    builder = ShapeBuilder((3, 24, 32))
    assert builder._pixels.shape == (24, 32)
    builder.input_shape = [3, 600, 300]
    assert builder._pixels.shape == (256, 128)
    assert ShapeBuilder(photo=None)._pixels is None


def test_fields_measured_by_perturbing_a_pixel():
    """One output neuron changes exactly when a pixel inside its field does: numbers, not formulas."""
    torch = pytest.importorskip("torch")
    builder = ShapeBuilder((1, 40, 40), "conv 1 3 2, conv 1 5 1 0 2, max 2", rounding="drop", photo=None)
    rows = builder.table
    nn = torch.nn
    net = nn.Sequential(nn.Conv2d(1, 1, 3, 2), nn.Conv2d(1, 1, 5, 1, 0, 2), nn.AvgPool2d(2)).double()
    for parameter in net.parameters():
        torch.nn.init.constant_(parameter, 1.0)
    x = torch.zeros(1, 1, 40, 40, dtype=torch.float64, requires_grad=True)
    out = net(x)
    assert list(out.shape[1:]) == rows[-1]["shape"]
    out[0, 0, 0, 0].backward()
    seen = np.flatnonzero(x.grad[0, 0].sum(1).numpy())
    assert seen[-1] - seen[0] + 1 == rows[-1]["sees"][0]
