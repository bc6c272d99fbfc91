"""The shape builder's Python side: reading layers strictly, the table, refusals, code for both engines."""

import importlib.util
import sys
from types import SimpleNamespace

import numpy as np
import pytest

pytest.importorskip("anywidget")

from cnnlib.widgets import ShapeBuilder, _layers
from cnnlib.widgets._layers import PRESETS, read_layers, words_of

OURS = importlib.util.find_spec("cnnlib.layers") is not None  # the course's own engine
CONSTRUCTORS = ("Sequential", "Conv2d", "MaxPool2d", "AvgPool2d", "Linear", "ReLU", "BatchNorm2d", "Dropout", "Flatten")


@pytest.fixture
def nn():
    return pytest.importorskip("torch").nn


def test_first_row():
    builder = ShapeBuilder((3, 32, 32), ["conv 10 5 1 2"])
    assert builder.table == [{"shape": [10, 32, 32], "parameters": 760, "multiply_adds": 768_000, "note": "",
                              "sees": [5, 5], "jump": [1, 1]}]
    assert builder.valid and builder.sentence() == "Row 1, conv: 10×32×32, 760 parameters, each unit sees 5×5."


def test_refusal_stops_what_follows():
    builder = ShapeBuilder((1, 7, 7), ["conv 1 3 3", "relu", "max 2"])
    assert builder.table == [{"trouble": "does not fit: (7 − 3)/3 + 1 = 2.33"}, {"waits": 1}, {"waits": 1}]
    assert not builder.valid and builder.sentence() == "Row 3, max: waits for row 1."
    builder.rounding = "drop"
    assert builder.table[0]["shape"] == [1, 2, 2] and builder.table[0]["note"] == "drops 1 row, 1 column"
    builder.rounding = "fill"
    assert builder.table[0]["shape"] == [1, 3, 3] and builder.table[0]["note"] == "fills 2 rows, 2 columns with zeros"


def test_flattening_keeps_what_a_unit_sees():
    """A flatten row changes the shape only; the fully connected layer after it sees all, as without that row."""
    plain = ShapeBuilder((3, 32, 32), "conv 4 5 2 2, linear 10", rounding="drop", photo=None).table
    builder = ShapeBuilder((3, 32, 32), "conv 4 5 2 2, flatten, relu, linear 10, linear 5", rounding="drop", photo=None)
    rows = builder.table
    assert [row["shape"] for row in rows] == [[4, 16, 16], [1024], [1024], [10], [5]]
    assert rows[1]["note"] == "flattens 4×16×16 to 1,024" and rows[3]["note"] == ""
    assert [row["sees"][0] for row in rows] == [5, 5, 5, 35, 35]
    assert plain[1]["sees"] == rows[3]["sees"] and plain[1]["parameters"] == rows[3]["parameters"] == 10_250


def test_reading():
    assert [layer["stride"] for layer in read_layers("max 3, max 3 2, conv 8 3")] == [3, 2, 1]
    assert read_layers([{"kind": "conv", "out_channels": 4, "kernel_size": 3}])[0]["groups"] == 1
    assert read_layers([{"kind": "max", "kernel_size": 3}])[0]["stride"] == 3
    assert [layer["bias"] for layer in read_layers("conv 8 3 nobias, linear 5 nobias, relu")] == [False, False, True]
    assert read_layers("") == []


@pytest.mark.parametrize("layers, match", [
    ("pool 2", "'pool 2': its kind must be one of conv, max, .*, or the whole a preset: ten 5×5 filters, LeNet-5"),
    ("vgg17", "'vgg17': its kind must be one of .* VGG-16"),
    ("avgg 2", r"'avgg 2': its kind must be .* \(did you mean 'avg'\?\)"),
    ("conv 8", "'conv 8', without its size"),
    ("max two", "'max two': 'two' is not a whole number"),
    ("relu 3", "'relu 3', with 1 number: relu takes 0 at most"),
    ("max 2 nobias", "'max 2 nobias': 'nobias' is not a whole number"),
    ("keeps", "'keeps': 'keeps' stands in a dict"),
    (["conv 8 3", 5], "5, which is neither a text nor a dict"),
    ([{"kind": "lstm"}], "its kind must be one of conv, max"),
    ([{"kind": "conv", "kernel_size": 3}], "without its filters"),
    ([{"kind": "conv", "out_channels": 4, "kernal_size": 3}], "'kernal_size' is none of .*did you mean 'kernel_size'"),
    ([{"kind": "conv", "out_channels": "4", "kernel_size": 3}], "out_channels is '4', not a whole number"),
    ([{"kind": "conv", "out_channels": 4.0, "kernel_size": 3}], "out_channels is 4.0, not a whole number"),
    ([{"kind": "linear", "out_channels": 4, "bias": 0}], "bias is 0, not True or False"),
    ([{"kind": "keeps"}], "without the name of the module"),
])
def test_what_cannot_be_read_is_refused(layers, match):
    """At the start and when it is assigned: a misspelt word is never taken for another."""
    with pytest.raises(ValueError, match=match):
        ShapeBuilder((3, 8, 8), layers)
    builder = ShapeBuilder((3, 8, 8))
    with pytest.raises(ValueError, match=match):
        builder.layers = layers
    assert builder.sentence().startswith("Row 1, conv: 10×8×8")


def test_other_misspelt_names_are_refused():
    for options, match in (({"photo": "camra"}, "'photo' .* expected any of .*'camera'.*, not the str 'camra'"),
                           ({"rounding": "dorp"}, "'rounding' .* expected any of .*'drop'.*, not the str 'dorp'"),
                           ({"goal": {"see": 5}}, "`goal` has 'see'; it can name rows, sees, parameters"),
                           ({"goal": {"sees": 0}}, r"`goal\['sees'\]` is 0; it must be at least 1"),
                           ({"scale": "tone"}, "'scale' .* expected any of .*'auto'"),
                           ({"round": "drop"}, "ShapeBuilder has no option 'round'; did you mean 'rounding'")):
        with pytest.raises(Exception, match=match):
            ShapeBuilder(**options)
    for shape, match in (((0, 8, 8), "`input_shape` is 0; it must be at least 1"),
                         ((3, 32), r"`input_shape` is \(3, 32\); it must be three numbers"),
                         (3, r"`input_shape` is \(3,\); it must be three numbers")):
        with pytest.raises(ValueError, match=match):
            ShapeBuilder(shape)
    with pytest.raises(TypeError, match="`layers` is 5; it must be texts such as"):
        ShapeBuilder(layers=5)


def test_impossible_numbers_are_accepted_and_refused_aloud():
    builder = ShapeBuilder((3, 8, 8), "max 3 0", photo=None)
    assert builder.table == [{"trouble": "stride 0: the smallest is 1"}]
    assert ShapeBuilder((3, 8, 8), "conv 4 3 1 -1").sentence() == "Row 1, conv: padding −1: the smallest is 0."


@pytest.mark.parametrize("name", ["vgg16", "VGG-16", "Vgg 16"])
def test_presets_by_name(name):
    builder = ShapeBuilder(layers=name, photo=None)
    assert builder.input_shape == [3, 224, 224] and len(builder.layers) == 21
    small = ShapeBuilder((3, 32, 32), name, photo=None)  # a shape that is given stays
    assert small.input_shape == [3, 32, 32] and small.table[-4]["shape"] == [512, 1, 1]


@pytest.mark.parametrize("text", [
    "conv 10 5 1 2", "conv 4 3 nobias", "conv 4 3 1 0 1 2", "conv 4 3 1 -1", "max 3 2", "max 2", "max 2 2 1", "max 3 0",
    "relu", "linear 5", "flatten", "norm"])
def test_a_layer_is_written_as_it_is_read(text):
    assert words_of(read_layers(text)[0]) == text
    builder = ShapeBuilder((3, 32, 32), [text], photo="cat")
    assert builder.code() == f'ShapeBuilder((3, 32, 32), ("{text}",), photo="cat")'


def test_goal():
    builder = ShapeBuilder((3, 32, 32), "conv 10 5, conv 4 3", goal={"sees": 7, "parameters": 1000, "rows": 26})
    assert builder.sentence().endswith("Goal: sees 7 or more: 7, met; 1,000 parameters or fewer: 1,124, not yet; "
                                       "26 rows: 26, met.")
    builder.predict = True
    assert "Goal" not in builder.sentence()


def test_a_model_is_read_exactly(nn):
    model = nn.Sequential(nn.Conv2d(3, 8, 3, padding=1, bias=False), nn.BatchNorm2d(8), relu := nn.ReLU(),
                          nn.Sequential(nn.MaxPool2d(2), relu), nn.Tanh(), nn.Flatten(), nn.Dropout(0.2),
                          nn.Linear(8 * 16 * 16, 10), nn.BatchNorm1d(10), nn.LogSoftmax(1))
    builder = ShapeBuilder((3, 32, 32), model)
    shapes, x = [], __import__("torch").zeros(2, 3, 32, 32)
    for module in [*model[:3], *model[3], *model[4:]]:
        x = module(x)
        shapes.append(list(x.shape[1:]))
    assert [row["shape"] for row in builder.table] == shapes
    assert sum(row["parameters"] for row in builder.table) == sum(p.numel() for p in model.parameters())
    space = {}
    exec(builder.to_code("torch"), space)
    assert [*map(repr, space["model"])] == [*map(repr, [*model[:3], *model[3], *model[4:]])]
    again = eval(builder.code(), {"ShapeBuilder": ShapeBuilder})
    assert again.layers == builder.layers


@pytest.mark.parametrize("make, name", [
    (lambda nn: nn.MaxPool2d(3, 1, dilation=2), "MaxPool2d(dilation=2)"),
    (lambda nn: nn.MaxPool2d(2, ceil_mode=True), "MaxPool2d(ceil_mode=True)"),
    (lambda nn: nn.MaxPool2d((2, 3)), "MaxPool2d(kernel_size=(2, 3), stride=(2, 3))"),
    (lambda nn: nn.AvgPool2d(2, divisor_override=3), "AvgPool2d(divisor_override=3)"),
    (lambda nn: nn.AvgPool2d(3, 1, 1, count_include_pad=False), "AvgPool2d(count_include_pad=False)"),
    (lambda nn: nn.BatchNorm2d(3, affine=False), "BatchNorm2d(affine=False)"),
    (lambda nn: nn.BatchNorm1d(3), "BatchNorm1d(on maps)"),
    (lambda nn: nn.Conv2d(3, 4, (3, 5)), "Conv2d(kernel_size=(3, 5))"),
    (lambda nn: nn.Conv2d(3, 4, 3, padding="same"), "Conv2d(padding='same')"),
    (lambda nn: nn.Conv2d(3, 4, 3, padding=1, padding_mode="reflect"), "Conv2d(padding_mode='reflect')"),
    (lambda nn: nn.Linear(32, 10), "Linear(not flattened before)"),
    (lambda nn: nn.Flatten(2), "Flatten(2, -1)"),
    (lambda nn: nn.Softmax(2), "Softmax(dim=2)"),
    (lambda nn: nn.PixelShuffle(1), "PixelShuffle"),
    (lambda nn: nn.ModuleList([nn.ReLU()]), "ModuleList"),
    (lambda nn: nn.LazyConv2d(8, 3), "LazyConv2d"),
    (lambda nn: type("Conv2d", (nn.Conv2d,), {"__module__": "mine"})(3, 8, 3), "Conv2d"),
    (lambda nn: type("Sequential", (nn.Sequential,), {"__module__": "mine"})(nn.ReLU()), "Sequential"),
])
def test_what_is_not_known_exactly_is_opaque(nn, make, name):
    builder = ShapeBuilder((3, 32, 32), nn.Sequential(make(nn), nn.ReLU()), focus=0)
    assert builder.table == [{"trouble": f"{name}: shape unknown here"}, {"waits": 1}]
    assert builder.sentence() == f"Row 1, {name}: shape unknown here."
    with pytest.raises(ValueError, match="row 1 does not stand: .*shape unknown here"):
        builder.to_code("torch")


def test_weights_that_are_used_twice_are_not_counted_twice(nn):
    twice = nn.Conv2d(3, 3, 3, padding=1)
    builder = ShapeBuilder((3, 32, 32), nn.Sequential(twice, twice))
    assert builder.table[1] == {"trouble": "Conv2d again: shape unknown here"}


def test_a_model_for_another_input_is_refused(nn):
    for model, match in ((nn.Conv2d(1, 4, 3), "row 1 of the model, conv, takes 1 channels and gets 3 .* 3×32×32"),
                         (nn.BatchNorm2d(7), "row 1 of the model, norm, takes 7 channels and gets 3"),
                         (nn.Sequential(nn.Flatten(), nn.Linear(99, 10)), "linear, takes 99 numbers and gets 3072")):
        with pytest.raises(ValueError, match=match):
            ShapeBuilder((3, 32, 32), model)
    with pytest.raises(TypeError, match=r"`layers` is the class Conv2d; give a model, Conv2d\(…\)"):
        ShapeBuilder((3, 32, 32), nn.Conv2d)


@pytest.mark.parametrize("name", PRESETS)
def test_code_builds_the_network_in_torch(nn, name):
    torch = pytest.importorskip("torch")
    builder = ShapeBuilder(layers=name, photo=None)
    space = {}
    with torch.device("meta"):  # shapes and counts only: VGG-16's half gigabyte is never allocated
        exec(builder.to_code("torch"), space)
        out = space["model"](torch.zeros(1, *builder.input_shape))
    assert list(out.shape[1:]) == builder.table[-1]["shape"]
    assert sum(p.numel() for p in space["model"].parameters()) == sum(row["parameters"] for row in builder.table)


def test_code_for_an_engine_that_lacks_what_it_needs(monkeypatch):
    """Whatever this version of cnnlib has: without the engine, with half of it, with all that the stack needs."""
    monkeypatch.setitem(sys.modules, "cnnlib.layers", None)
    builder = ShapeBuilder((3, 8, 8), "conv 4 3, norm, dropout")
    assert builder.to_code() == builder.to_code("torch")
    assert builder.to_code().startswith("from torch import nn\n")
    with pytest.raises(ValueError, match=r'this version of cnnlib has no cnnlib.layers; to_code\("torch"\) gives'):
        builder.to_code("layers")
    half = SimpleNamespace(Sequential=None, Conv2d=None, Dropout=None)
    monkeypatch.setitem(sys.modules, "cnnlib.layers", half)
    assert builder.to_code() == builder.to_code("torch")
    with pytest.raises(ValueError, match="this version of cnnlib has no cnnlib.layers.BatchNorm2d; "):
        builder.to_code("layers")
    half.BatchNorm2d = None
    assert builder.to_code() == builder.to_code("layers") == builder.to_code("torch").replace(
        "from torch import nn", "from cnnlib import layers as nn")


@pytest.mark.skipif(not OURS, reason="this version of cnnlib has no engine of its own")
def test_our_engine_is_built_and_read():
    from cnnlib import layers

    missing = [name for name in CONSTRUCTORS if not hasattr(layers, name)]
    assert missing == []
    words = "conv 4 3 2 1 1 1 nobias, norm, relu, max 2, avg 2 1, flatten, dropout, linear 5"
    builder = ShapeBuilder((3, 17, 17), words, rounding="drop", photo=None)
    space = {}
    exec(builder.to_code("layers"), space)
    model = space["model"]
    assert list(model(np.zeros((1, 3, 17, 17), np.float32)).shape[1:]) == builder.table[-1]["shape"]
    assert ShapeBuilder((3, 17, 17), model).layers == builder.layers
    counted = sum(array.size for name, array in model.state_dict().items() if name.endswith((".weight", ".bias")))
    assert counted == sum(row["parameters"] for row in builder.table)
    opaque = ShapeBuilder((3, 17, 17), layers.Sequential(layers.AvgPool2d(2, ceil_mode=True)))
    assert opaque.table == [{"trouble": "AvgPool2d(ceil_mode=True): shape unknown here"}]
    opaque = ShapeBuilder((3, 17, 17), layers.Sequential(layers.BatchNorm2d(3, affine=False)))
    assert opaque.table == [{"trouble": "BatchNorm2d(affine=False): shape unknown here"}]


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
    before = builder._pixels.copy()
    builder.photo = "cat"
    assert builder._pixels.shape == (24, 32) and not np.array_equal(before, builder._pixels)
    builder.input_shape = [3, 600, 300]
    assert builder._pixels.shape == (256, 128)
    assert ShapeBuilder(photo=None)._pixels is None


def test_fields_measured_by_perturbing_a_pixel(nn):
    """One output unit changes exactly when a pixel inside its field does: numbers, not formulas."""
    torch = pytest.importorskip("torch")
    builder = ShapeBuilder((1, 40, 40), "conv 1 3 2, conv 1 5 1 0 2, max 2", rounding="drop", photo=None)
    rows = builder.table
    net = nn.Sequential(nn.Conv2d(1, 1, 3, 2), nn.Conv2d(1, 1, 5, 1, 0, 2), nn.AvgPool2d(2)).double()
    for parameter in net.parameters():
        torch.nn.init.constant_(parameter, 1.0)
    x = torch.zeros(1, 1, 40, 40, dtype=torch.float64, requires_grad=True)
    out = net(x)
    assert list(out.shape[1:]) == rows[-1]["shape"]
    out[0, 0, 0, 0].backward()
    seen = np.flatnonzero(x.grad[0, 0].sum(1).numpy())
    assert seen[-1] - seen[0] + 1 == rows[-1]["sees"][0]


def test_a_long_table_is_drawn_with_its_end_counted():
    from matplotlib import pyplot as plt

    figure = ShapeBuilder((1, 90, 90), ["conv 1 3"] * 40).figure()
    words = [text.get_text() for text in figure.axes[0].texts]
    plt.close(figure)
    assert "… and 16 more rows" in words and "total" in words


def test_the_table_speaks_as_lecture_21_does():
    from matplotlib import pyplot as plt

    figure = ShapeBuilder(layers=["conv 10 5 1 2 2"]).figure()
    words = [text.get_text() for text in figure.axes[0].texts]
    plt.close(figure)
    assert {"conv 10 K5 S1 P2 D2", "sees", "jump"} <= {*words}


def test_every_kind_has_words():
    assert {*_layers.FIELDS} == {"conv", "max", "avg", "linear", "relu", "norm", "dropout", "flatten", "keeps", "other"}
