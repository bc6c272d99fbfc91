"""The architecture explorer tells the numbers of architectures.summary, and refuses what cannot be."""

from functools import partial

import numpy as np
import pytest

pytest.importorskip("anywidget")

from architecture_cases import opaque
from network_cases import small_net

from cnnlib import architectures, data, inspection, layers
from cnnlib.architectures._names import NAMED
from cnnlib.widgets._architecture import SMALL_MENU, field_of, paths, trail, unit_of
from cnnlib.widgets.architecture_explorer import ArchitectureExplorer


def stage(widget, path):
    return trail(widget._net, path)[-1]


@pytest.mark.parametrize("name, parameters, path, sees", [
    ("vgg16", 138_357_544, "pool5", 212), ("resnet50", 25_557_032, "conv5_x", 483),
    ("alexnet", 61_100_840, "pool5", 195), ("alexnet_2012", 60_965_224, "pool5", 195),
    ("googlenet", 6_998_552, "inception5b", 715)])
def test_published_numbers(name, parameters, path, sees):
    widget = ArchitectureExplorer(name, stage=path)
    assert widget.table.parameters == parameters
    assert sum(each["parameters"] for each in widget._net["stages"]) == parameters
    assert stage(widget, path)["sees"] == [sees, sees]
    assert f"sees {sees}×{sees} pixels" in widget.sentence() and f"percent of {parameters:,}." in widget.sentence()


@pytest.mark.parametrize("name", NAMED)
def test_what_is_told_is_the_summary(name):
    widget = ArchitectureExplorer(name, photo=None)
    made = architectures.summary(NAMED[name][0], NAMED[name][1])
    assert widget.input_shape == list(NAMED[name][1])
    rows = [(each["path"], tuple(each["shape"]), each["parameters"], each["multiply_adds"], each["sees"][0],
             each["jump"][0]) for each in widget._net["stages"]]
    assert rows == made.shown()
    for total in ("parameters", "multiply_adds"):
        assert sum(each[total] for each in widget._net["stages"]) == widget._net[total] == getattr(made, total)
    assert sum(each["memory"] for each in widget._net["stages"]) == widget._net["memory"]


def test_sentences():
    widget = ArchitectureExplorer("vgg16", stage="pool5")
    first = "Stage pool5: 512×7×7, sees 212×212 pixels in steps of 32."
    assert widget.sentence() == f"{first} 0 parameters, 0 percent of 138,357,544."
    widget.measure = "field"
    assert widget.sentence() == first
    widget.row = widget.col = 0
    assert widget.sentence() == f"{first} Unit at row 0, column 0 sees rows −90 to 121, columns −90 to 121."
    widget.compare = "alexnet"
    assert widget.sentence().endswith(" alexnet: sees 355 pixels at most.")
    widget.stage = "fc6"
    assert widget.sentence().startswith("Stage fc6: 4,096 numbers, sees 404×404 pixels. alexnet")
    widget.predict = True
    assert widget.sentence() == "Stage fc6: predict its receptive field."


def test_a_stage_by_number_and_by_path():
    widget = ArchitectureExplorer("resnet50", stage=3)
    assert widget.stage == "conv2_x" and "Made of 3 stages." in widget.sentence()
    widget.stage = "conv2_x.conv2_1"
    assert "Made of a body and what goes past it; the wider field is told." in widget.sentence()
    widget.stage = -1
    assert widget.stage == "fc" and widget.code() == 'ArchitectureExplorer("resnet50")'


def test_another_net_and_other_pictures():
    widget = ArchitectureExplorer("vgg16", stage="pool5", compare="resnet18")
    widget.architecture = "alexnet"
    assert (widget.stage, widget.table.parameters) == ("pool5", 61_100_840)
    widget.architecture = "resnet50"
    assert widget.stage == "fc"
    widget.input_shape = (3, 64, 64)
    assert stage(widget, "conv5_x")["shape"] == [2048, 2, 2]
    assert widget._others["resnet18"]["input_shape"] == [3, 64, 64]
    assert widget.sentence().endswith(" resnet18 at 3×64×64: 11,689,512 parameters in all.")


@pytest.mark.parametrize("name, other, measure, told", [
    ("lenet5_1998", "vgg16", "params", "vgg16 at 3×224×224: 138,357,544 parameters in all."),
    ("alexnet_2012", "vgg16", "mult-adds", "vgg16 at 3×224×224: 15,470,264,320 multiply-adds in all."),
    ("resnet50", "lenet5_1998", "params", "lenet5_1998 at 1×32×32: 60,000 parameters in all."),
    ("vgg16", "alexnet", "params", " alexnet: 61,100,840 parameters in all.")])
def test_two_nets_stand_each_at_its_own_papers_pictures(name, other, measure, told):
    """Not the second one rebuilt for the channels and the size of the first, with numbers that no paper has."""
    assert ArchitectureExplorer(name, compare=other, measure=measure).sentence().endswith(told)


def test_a_stage_of_the_second_net():
    widget = ArchitectureExplorer("vgg16", stage="pool5", compare="alexnet", compare_stage="pool5")
    assert widget.sentence().endswith(" alexnet: 61,100,840 parameters in all. Its pool5: 256×6×6, sees 195×195 pixels "
                                      "in steps of 32.")
    assert widget.code() == ('ArchitectureExplorer("vgg16", stage="pool5", compare="alexnet", compare_stage="pool5")')
    widget.compare = "resnet18"  # which has no such stage
    assert widget.compare_stage is None and "Its" not in widget.sentence()
    with pytest.raises(Exception, match="`compare_stage` is 'pool5'; resnet18 has conv1, .* fc"):
        widget.compare_stage = "pool5"
    widget.reset()
    assert widget.compare_stage == "pool5"
    with pytest.raises(Exception, match="`compare_stage` is 'pool5'; there is no second net: set `compare`"):
        ArchitectureExplorer("vgg16", compare_stage="pool5")
    with pytest.raises(Exception, match="`compare_stage` is 'conv9'; alexnet has conv1"):
        ArchitectureExplorer("vgg16", compare="alexnet", compare_stage="conv9")


def test_the_picture_marks_what_is_chosen_and_has_both_nets():
    from matplotlib import pyplot as plt

    def seen(widget):
        (ax,) = widget.figure().axes
        plt.close("all")
        return [text.get_text() for text in ax.texts], sum(patch.get_gid() == "marked" for patch in ax.patches)

    words, marked = seen(ArchitectureExplorer("vgg16", stage="pool5"))
    assert marked == 2 and "conv1" not in words  # a frame about its maps, one about its name
    widget = ArchitectureExplorer("vgg16", stage="pool5", compare="alexnet", compare_stage="conv2")
    words, marked = seen(widget)
    assert marked == 4 and {"conv1", "conv1_1"} <= set(words)
    assert "vgg16, parameters: 138 M in all" in words and "alexnet, parameters: 61.1 M in all" in words
    widget.predict = True
    words, marked = seen(widget)
    assert marked == 4 and not any("in all" in text for text in words)
    words, _ = seen(ArchitectureExplorer("lenet5_1998", compare="lenet5_1998"))
    assert words.count("output") == 2  # a net beside itself


def test_small_pictures_leave_large_nets_out_of_the_menu():
    widget = ArchitectureExplorer("resnet20", compare="alexnet")
    assert widget.input_shape == [3, 32, 32] and set(widget._others) == set(SMALL_MENU)
    widget.compare = None
    widget.input_shape = (3, 36, 36)
    assert "alexnet" not in widget._others and {"vgg16", "resnet18"} <= set(widget._others) <= set(SMALL_MENU)


def test_a_factory_and_a_model_of_either_engine():
    vgg = partial(architectures.vgg, "A", 10)
    factory = ArchitectureExplorer(vgg, compare=architectures.zfnet)
    assert factory.code() == "ArchitectureExplorer(model, compare=other)"
    assert factory.table.parameters == architectures.summary(vgg, (3, 224, 224)).parameters
    assert "other: 62,357,608 parameters in all." in factory.sentence()
    torch = pytest.importorskip("torch")
    net = torch.nn.Sequential(torch.nn.Conv2d(1, 4, 3, padding=1), torch.nn.MaxPool2d(2))
    widget = ArchitectureExplorer(net, input_shape=(1, 8, 8), photo=None)
    assert widget.sentence() == "Stage 1: 4×4×4, sees 4×4 pixels in steps of 2. 0 parameters, 0 percent of 40."
    assert widget.model is net


def test_units_outside_are_the_nearest_and_none_is_the_middle():
    widget = ArchitectureExplorer("vgg16", stage="pool5")
    node = stage(widget, "pool5")
    assert unit_of(node, None, None) == [3, 3] and unit_of(node, -5, 99) == [0, 6]
    np.testing.assert_array_equal(field_of(node, (3, 3)), [[6, 217]] * 2)
    assert unit_of(stage(widget, "fc6"), 4, 4) == [0, 0]


def test_a_layer_of_an_unknown_kind_is_an_opaque_block():
    from matplotlib import pyplot as plt

    widget = ArchitectureExplorer(opaque(), input_shape=(1, 24, 20), measure="mult-adds", stage="odd", photo=None)
    assert [each["kind"] for each in widget._net["stages"]] == ["layer", "opaque", "chain", "layer", "layer"]
    assert widget.sentence() == (
        "Stage odd: 4×12×20, sees 3×3 pixels in steps of 2×1. 0 multiply-adds, 0 percent of 57,780 counted. Opaque: of "
        "a kind that is not known; its shape and field are measured, its multiply-adds are not counted.")
    assert stage(widget, "both")["sees"] == [7, 5] and stage(widget, "both")["jump"] == [4, 1]
    assert stage(widget, "both.1")["kind"] == "opaque"
    assert [bool(patch.get_hatch()) for patch in widget.figure().axes[0].patches].count(True) == 1
    plt.close("all")
    widget.measure, widget.stage = "params", "fc"
    assert widget.sentence().endswith("1,623 parameters, 86.1 percent of 1,885.")


def strong(widget):
    return {path: stage(widget, path)["strong"] for path in paths(widget._net["stages"])}


def test_the_strongest_maps_of_the_photo():
    """Of a net with weights: as strong as what a ReLU lets pass, in the mean, counted here by a forward of its own."""
    net = small_net()
    widget = ArchitectureExplorer(net, input_shape=(1, 8, 8), photo="cat", stage="conv")
    x = data.photo("cat", size=8, grey=True)[None, None].astype(np.float32)
    for path, channels in strong(widget).items():
        maps = inspection.activations(net, x, [path])[path][0]
        answer = np.maximum(maps, 0).mean(axis=(1, 2)) if maps.ndim == 3 else maps
        wanted = sorted((each for each in answer if each > 0 or maps.ndim == 1), reverse=True)[:6]
        assert wanted and list(answer[channels]) == wanted, path
        if maps.ndim == 3:
            levels = np.frombuffer(widget._maps[path]["data"], np.uint8).reshape(widget._maps[path]["shape"])
            wanted = np.maximum(maps[channels], 0)
            np.testing.assert_allclose(levels, 255 * wanted / wanted.max(), atol=0.51)
    told = ", ".join(map(str, stage(widget, "conv")["strong"]))
    assert f" Strongest maps of the photo: {told}." in widget.sentence()
    widget.stage = paths(widget._net["stages"])[-1]
    assert " Largest numbers for the photo: " in widget.sentence() and widget.stage not in widget._maps
    before = strong(widget)
    widget.photo = "coins"
    assert strong(widget) != before
    widget.photo = None
    assert not any(strong(widget).values()) and widget._maps == {}


def test_nets_without_weights_have_no_strongest_maps():
    for net in ("lenet5", partial(architectures.lenet5, 10)):
        assert ArchitectureExplorer(net, input_shape=(1, 32, 32))._maps == {}
    two = layers.Sequential(layers.Conv2d(2, 4, 3))
    assert ArchitectureExplorer(two, input_shape=(2, 9, 9))._maps == {}  # a photo has one channel, or three


def test_silent_maps_are_left_out():
    net = layers.Sequential({"conv": layers.Conv2d(1, 3, 3), "relu": layers.ReLU(), "up": layers.Conv2d(3, 2, 1)})
    for parameter, value in zip(net.parameters(), (0, [-1.0, 2.0, 0.0], 0, -1.0)):
        parameter.set(np.broadcast_to(value, parameter.shape))
    widget = ArchitectureExplorer(net, input_shape=(1, 9, 9), stage="conv")
    assert stage(widget, "conv")["strong"] == [1] and "Strongest maps of the photo: 1." in widget.sentence()
    assert stage(widget, "up")["strong"] == [] and "up" not in widget._maps and "conv" in widget._maps
    widget.stage = "up"
    assert "Strongest" not in widget.sentence()


def test_further_heads_rest_and_stages_deep_inside_are_left_out():
    net = architectures.googlenet(10, aux=True, width=0.05, nn=layers)
    widget = ArchitectureExplorer(net, input_shape=(3, 224, 224), photo="cat")
    assert {"inception3a", "inception5b"} <= set(widget._maps)
    assert not any(path.startswith("aux") for path in widget._maps)
    assert all(path.count(".") <= 1 and each["shape"][0] <= 6 and max(each["shape"][1:]) <= 28
               for path, each in widget._maps.items())
    assert len(widget.record()) < 1_000_000


def test_published_weights(monkeypatch):
    """Fetched once; the net of the files stands there, in whose own scale the photo comes."""
    asked, nets = [], {}

    def pretrained(name):
        asked.append(name)
        nets[name] = architectures.alexnet(10, width=0.1, nn=layers)
        return nets[name]

    monkeypatch.setattr(architectures, "pretrained", pretrained)
    widget = ArchitectureExplorer("alexnet", weights="published", stage="conv2")
    assert widget.code() == 'ArchitectureExplorer("alexnet", stage="conv2", weights="published")'
    photo = np.broadcast_to(data.photo("camera", size=224), (3, 224, 224))[None].astype(np.float32)
    x = architectures.published_input(photo, "alexnet")
    maps = inspection.activations(nets["alexnet"], x, ["conv2"])["conv2"][0]
    assert stage(widget, "conv2")["strong"] == np.argsort(-np.maximum(maps, 0).mean(axis=(1, 2)))[:6].tolist()
    widget.photo = "cat"
    assert asked == ["alexnet"]
    widget.weights = None
    assert widget._maps == {} and widget.table.parameters == 61_100_840
    with pytest.raises(ValueError, match="`weights` is 'published', but for 'zfnet' none are; they are for alexnet"):
        ArchitectureExplorer("zfnet", weights="published")


def torch_net(wrap):
    from torch import nn

    return nn.Sequential(
        nn.Conv2d(3, 8, 7, 2, padding=3), wrap(nn.Conv2d(8, 8, (5, 3), 2, padding=(2, 1)), nn.BatchNorm2d(8)),
        wrap(nn.MaxPool2d(3, 2)), wrap(nn.Conv2d(8, 16, 3, padding=2, dilation=2)),
        wrap(nn.AdaptiveAvgPool2d(1), nn.Flatten()), nn.Linear(16, 10))


def test_what_is_measured_of_an_opaque_block_is_what_the_rules_say():
    torch = pytest.importorskip("torch")

    class Own(torch.nn.Module):
        def __init__(self, *parts):
            super().__init__()
            self.inner = torch.nn.Sequential(*parts)

        def forward(self, x):
            return self.inner(x)

    known = ArchitectureExplorer(torch_net(torch.nn.Sequential), input_shape=(3, 64, 48), photo=None)
    net = torch_net(Own)
    widget = ArchitectureExplorer(net, input_shape=(3, 64, 48), photo=None)
    assert [each["kind"] == "opaque" for each in widget._net["stages"]] == [False, True, True, True, True, False]
    for name in ("path", "shape", "parameters", "sees", "jump", "start"):
        assert [each[name] for each in widget._net["stages"]] == [each[name] for each in known._net["stages"]], name
    assert widget._net["depth"] == known._net["depth"] == 4
    assert net.training and not hasattr(net[1], "reach")  # a copy was measured
    assert net[1].inner[1].num_batches_tracked == 0
    with pytest.raises(ValueError, match="Own does not take .3, 5, 5.*"):
        ArchitectureExplorer(Own(torch.nn.Conv2d(3, 4, 7)), input_shape=(3, 5, 5))
    whole = ArchitectureExplorer(Own(torch.nn.Conv2d(3, 4, 7)), input_shape=(3, 9, 9))
    assert whole.sentence().startswith("Stage Own: 4×3×3, sees 7×7 pixels in steps of 1. 592 parameters, 100 percent")


def test_a_layer_with_a_rule_of_its_own_and_layers_in_it_is_no_chain():
    class Twice(layers.Module):
        def __init__(self):
            self.inner = layers.Conv2d(1, 1, 3, padding=1)

        def forward(self, x):
            return 2 * self.inner(x)

        def reach(self, before):
            return before.through(before.shape, 3)

    widget = ArchitectureExplorer(layers.Sequential(Twice()), input_shape=(1, 8, 8))
    assert widget._net["stages"][0]["kind"] == "layer" and not widget._net["partly"]


def test_errors():
    with pytest.raises(ValueError, match="`architecture` is 'vgg17'; it must be a model, a function .* vgg16, vgg19"):
        ArchitectureExplorer("vgg17")
    with pytest.raises(ValueError, match="`compare` is 'lenet'; it must be a model"):
        ArchitectureExplorer("vgg16", compare="lenet")
    with pytest.raises(Exception, match="`stage` is 22; the stages are 0 to 21, or -1 for the last"):
        ArchitectureExplorer("vgg16", stage=22)
    with pytest.raises(Exception, match="`stage` is 'pool6'; there is conv1_1, .* pool5"):
        ArchitectureExplorer("vgg16", stage="pool6")
    with pytest.raises(ValueError, match="picture that the net takes is 32 x 32, this one is 16 x 16"):
        ArchitectureExplorer("vgg16", input_shape=(3, 16, 16))


def test_nets_of_very_different_size_are_drawn_each_on_its_own_scale():
    """ResNet-50's largest stage has 25 times the multiply-adds of MobileNet's: on one scale these were lines."""
    far = ArchitectureExplorer("mobilenet1", measure="mult-adds", compare="resnet50").figure().axes[0]
    near = ArchitectureExplorer("vgg16", measure="mult-adds", compare="resnet50").figure().axes[0]
    assert [sum("on its own scale" in text.get_text() for text in ax.texts) for ax in (far, near)] == [2, 0]
