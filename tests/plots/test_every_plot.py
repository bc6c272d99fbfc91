"""What holds for every figure: nothing clipped, text large and dark enough, colours from the style, Axes returned."""

import functools

import numpy as np
import pytest
from figures import clipped_texts, overlapping_texts, visible_texts
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.colors import to_hex, to_rgb

from cnnlib import architectures, course, data, layers, plots, training
from cnnlib.architectures import summary
from cnnlib.features import edges
from cnnlib.history import ilsvrc, timeline
from cnnlib.optim import surfaces, walks
from cnnlib.plots import _style
from cnnlib.scalar import Value

STROKE = np.array([[int(digit) for digit in row] for row in
                   "111111 000010 011100 001000 010000 100000".split()])
FILTER = np.array([[1, 1, 1], [-1, 1, -1], [1, -1, -1]])
ROWS = [("input", "3×32×32", 0, 0), ("conv", "10×32×32", 760, 768000), ("relu", "10×32×32", 0, 0)]
COLUMNS = ("layer", "output", "parameters", "multiply-adds")
RESIDUALS = {
    "basic": layers.Residual(layers.Sequential(layers.Conv2d(64, 64, 3, padding=1), layers.BatchNorm2d(64))),
    "bottleneck, projected": layers.Residual(layers.Conv2d(64, 128, 3, 2, padding=1), layers.Sequential(
        layers.Conv2d(64, 128, 1, 2), layers.BatchNorm2d(128)))}
RAVINE = surfaces.ravine()

EXAMPLES = {
    "architecture": lambda: plots.plot_architecture(net(architectures.vgg, "D")),
    "architecture-arcs": lambda: plots.plot_architecture(net(architectures.resnet, 152), "mult-adds"),
    "architecture-branches": lambda: plots.plot_architecture(net(architectures.googlenet), "field", title="GoogLeNet"),
    "architecture-bn": lambda: plots.plot_architecture(net(architectures.vgg, "E", batch_norm=True), "memory"),
    "grid": lambda: plots.plot_grid(STROKE, window=(0, 1, 3, 3), title="input", indices=True),
    "grid-large": lambda: plots.plot_grid(np.linspace(-3, 3, 256).reshape(16, 16), role="gradient"),
    "grid-tiny": lambda: plots.plot_grid([[5]], title="a title wider than its one cell"),
    "image": lambda: plots.plot_image(data.photo("cat"), title="cat"),
    "image-signed": lambda: plots.plot_image(data.photo("camera") - 0.4),
    "maps": lambda: plots.plot_maps(np.stack([STROKE - 0.5] * 5)),
    "maps-mixed": lambda: plots.plot_maps([STROKE, data.photo("coffee")], titles=["stroke", "coffee"]),
    "convolution": lambda: plots.plot_convolution(STROKE, FILTER, col=1),
    "convolution-padded": lambda: plots.plot_convolution(STROKE, FILTER, padding=1, dilation=2, bias=0.5),
    "convolution-channels": lambda: plots.plot_convolution([STROKE] * 3, [FILTER] * 3, flip=True),
    "convolution-large": lambda: plots.plot_convolution(np.eye(16), FILTER / 7, padding=1),
    "convolution-photo": lambda: plots.plot_convolution(data.photo("camera"), FILTER / 9, row=100, col=220),
    "convolution-one": lambda: plots.plot_convolution([[2]], [[3]]),
    "receptive_field": lambda: plots.plot_receptive_field(data.photo("camera", size=96), [3, 5, 7, 20, 61]),
    "receptive_field-outside": lambda: plots.plot_receptive_field(
        data.photo("cat"), [11, (355, 355)], centre=(60, 100), labels=["conv1", "pool5"], title="fields"),
    "bars": lambda: plots.plot_bars(["loops", "library"], [123.4, 2.2], unit="ms", title="One layer"),
    "bars-log": lambda: plots.plot_bars(["dense", "one filter 5×5"], [2408448, 75], log=True, unit="weights"),
    "timings": lambda: plots.plot_timings({"loops": [1200, None], "im2col": [9, 30], "fft": [20, 60]},
                                          ["LeNet C1", "ResNet 56×56"], title="forward"),
    "roofline": lambda: plots.plot_roofline(
        {"im2col": (20, 60), "shifted": (22, 70), "auto": (30, 90), "loops": (20, 0.05)}, 120, 14, title="two cores"),
    "scatter": lambda: plots.plot_scatter({"AlexNet": (61, 56), "VGG-16": (138, 72), "ResNet-18": (12, 70)},
                                          families=[("AlexNet", "VGG-16")], xlabel="M", ylabel="%", log=True),
    "stack": lambda: plots.plot_stack(ROWS, COLUMNS, bars=["parameters", "multiply-adds"], title="a stack"),
    "course_map": lambda: plots.plot_course_map(course.LECTURES, course.existing(), title="The course"),
    "residual_blocks": lambda: plots.plot_residual_blocks(
        {title: summary(residual, (64, 56, 56)) for title, residual in RESIDUALS.items()}),
    "connections": lambda: plots.plot_connections(6, 3, input=2, title="seen from below"),
    "tied_matrix": lambda: plots.plot_tied_matrix(6, 3),
    "windows": lambda: plots.plot_windows(7, 3, stride=3, padding=(0, 1)),
    "field_growth": lambda: plots.plot_field_growth({"3×3": [(3, 1)] * 4, "3×3 / 2": [(3, 2)] * 4}),
    "network": lambda: plots.plot_network(
        {"input": STROKE[None] / 1, "conv": np.ones((16, 4, 4)), "fc": np.linspace(-1, 1, 84), "out": np.arange(10.0)},
        shares=np.eye(10)[7]),
    "network-layered": lambda: plots.plot_network(
        {"input": STROKE[None] / 1, "conv": np.ones((16, 4, 4)), "fc": np.ones(84), "out": np.arange(10.0)},
        view="layered"),
    "boxes": lambda: plots.plot_boxes(data.photo("camera", size=64), [[10, 20, 50, 60]], [0.75], title="one face"),
    "orientations": lambda: plots.plot_orientations(np.arange(9) % 4, title="cell 3, 4"),
    "block": lambda: plots.plot_block(np.arange(36.0).reshape(2, 2, 9), np.arange(36).reshape(2, 2, 9) / 120),
    "pooling": lambda: plots.plot_pooling(STROKE, 3, 2, col=1),
    "pooling-wide": lambda: plots.plot_pooling(np.linspace(-1, 1, 96).reshape(6, 16), (2, 1), kind="average"),
    "pooling_backward": lambda: plots.plot_pooling_backward(STROKE, np.ones((4, 4)), 3, 1, row=1),
    "pooling_backward-wide": lambda: plots.plot_pooling_backward(
        np.linspace(-1, 1, 96).reshape(6, 16), np.ones((3, 8)), kind="L2", col=7),
    "rows": lambda: plots.plot_rows({"direct": [1, -20], "through the mean": [0.5, 0.5]}, xlabel="digit"),
    "curves": lambda: plots.plot_curves({"max": [0, 0.4, 0.9], "average": [0, 0.5, 0.8]}, percent=True,
                                        xlabel="shift, pixels", ylabel="change", title="a photo"),
    "trials": lambda: plots.plot_trials({"max": {"still": [0.98, 0.97], "moved": [0.7, 0.6]},
                                         "stride 2": {"still": [0.96], "moved": [0.4]}}, ylabel="share right"),
    "backward": lambda: plots.plot_backward(STROKE, FILTER, part="grad_x", row=2, col=2),
    "backward-scatter": lambda: plots.plot_backward(STROKE, FILTER / 7, stride=2, padding=1, so_far=True),
    "backward-large": lambda: plots.plot_backward(np.eye(10), FILTER, part="grad_weight"),
    "backward-pool": lambda: plots.plot_backward(STROKE, op="max_pool2d", kernel_size=2, part="grad_x"),
    "paths": lambda: plots.plot_paths(RAVINE, {rule: walks.walk(RAVINE.gradient, RAVINE.start, rule, 40, lr=0.02)
                                               for rule in walks.RULES}, title="five ways"),
    "tower": lambda: plots.plot_tower([(3, 1), (3, 2), (3, 1)]),
    "graph": lambda: plots.plot_graph((Value(3.0, "w") * Value(-0.12, "x") - 1).tanh() ** 2, weights=["w"], title="E"),
    "graph-step": lambda: plots.plot_graph((lambda x: x * x.tanh() + x)(Value(0.5, "x")), step=5),
    "learning": lambda: plots.plot_learning(learnt(12), title="twelve epochs"),
    "learning-begun": lambda: plots.plot_learning(learnt(1), epochs=100),
    "histogram": lambda: plots.plot_histogram({"right": np.arange(9) ** 2, "wrong": np.arange(60)}, line=40,
                                              xlabel="distance", title="two kinds"),
    "keypoints": lambda: plots.plot_keypoints(data.photo("cat"), [[150, 120], [80, 300]], [20, 8], [1, 4], title="two"),
    "keypoint_kinds": lambda: plots.plot_keypoint_kinds(data.photo("camera"), {"kept": ([[150, 120]], [20]),
                                                                               "on an edge": ([], [])}),
    "rivals": lambda: plots.plot_rivals({"cat": ([0.1, 0.5], [0.9, 0.6], [1, 0]), "brick": ([0.9], [1.0], [0])}),
    "keypoints-none": lambda: plots.plot_keypoints(data.photo("camera") - 0.4, [], 1),
    "scale_space": lambda: plots.plot_scale_space([np.ones((6, 60, 90)), np.ones((6, 4, 6))], [[1.6] * 6, [51.2] * 6]),
    "descriptor": lambda: plots.plot_descriptor(np.linspace(0, 1, 128), title="128 numbers"),
    "description": lambda: plots.plot_description(data.photo("camera"), (200, 181), 4.8, [3.4, 6.1], np.eye(22),
                                                  np.linspace(0, 1, 36), np.linspace(0, 1, 128)),
    "directions": lambda: plots.plot_directions(np.linspace(0, 1, 36) ** 2, title="36 bins"),
    "matches": lambda: plots.plot_matches(data.photo("camera", size=256), data.photo("coffee"), [[9, 9], [200, 99]],
                                          [[300, 500], [0, 0]], [True, False], title="one right, one wrong"),
    "confusion": lambda: plots.plot_confusion(np.diag([35] * 10) + np.eye(10, k=3, dtype=int), title="digits"),
    "timeline": lambda: plots.plot_timeline(timeline.MILESTONES, title="A history"),
    "separation": lambda: plots.plot_separation([[-1, -1], [-1, 1], [1, 1]], [1, -1, 1], [[1, 2], [-1, 1]], [0.5, 0.5]),
    "error_chart": lambda: plots.plot_error_chart(ilsvrc.WINNERS, single=ilsvrc.SINGLE_NETS, human=ilsvrc.HUMAN),
    "error_chart-log": lambda: plots.plot_error_chart(ilsvrc.WINNERS, log=True, title="top-5"),
    "arrows": lambda: plots.plot_arrows(STROKE, *edges.sobel(STROKE), kinds=("gradient", "walk"), title="a 7"),
    "rose": lambda: plots.plot_rose(edges.ROBINSON),
    "rose-photo": lambda: plots.plot_rose([data.photo("camera", size=64)] * 8, np.zeros((64, 64))),
    "confusion-two": lambda: plots.plot_confusion([[1500, 12], [0, 3]], ["cat", "dog"]),
}


def net(factory, *arguments, **options):
    """The summary of a net for photographs."""
    return architectures.summary(lambda nn: factory(*arguments, nn=nn, **options), (3, 224, 224))


def learnt(epochs):
    """A history whose loss halves from epoch to epoch."""
    history = training.History(step_loss=[2 ** (-step / 5) for step in range(5 * epochs)])
    for epoch in range(1, epochs + 1):
        history.add(epoch=epoch, step=5 * epoch, train_loss=2.0**-epoch, train_accuracy=1 - 2.0**-epoch,
                    valid_loss=1.5**-epoch, valid_accuracy=1 - 1.5**-epoch)
    return history


every_plot = pytest.mark.parametrize("example", EXAMPLES)


@pytest.fixture(autouse=True, scope="module")
def _close():
    yield
    plt.close("all")


@functools.cache
def axes_of(example):
    """The axes that an example returns; drawn once for all tests."""
    return np.ravel(EXAMPLES[example]())


@functools.cache
def drawn(example):
    """The figure of an example, laid out, and its visible texts."""
    figure = axes_of(example)[0].figure
    return figure, visible_texts(figure)


@every_plot
def test_no_text_is_clipped(example):
    figure, texts = drawn(example)
    assert texts or figure.axes[0].images
    assert clipped_texts(figure, texts) == []


@every_plot
def test_no_texts_overlap(example):
    assert overlapping_texts(drawn(example)[1]) == []


@every_plot
def test_texts_are_large_enough(example):
    _, texts = drawn(example)
    sizes = {text.get_text(): text.get_fontsize() for text in texts}
    numbers = {text for text in sizes if text.strip("−0123456789.") == ""}
    assert all(size >= 6 for size in sizes.values())
    assert {text: size for text, size in sizes.items() if text not in numbers and size < 9.5} == {}


def palette():
    """Hues of the style's colours, to which every other colour on a figure must belong."""
    return [np.array(to_rgb(colour)) for colour in plots.COLOURS.values()]


def from_style(colour):
    """Whether a colour is one of the style's, a mixture of one with paper, or a grey."""
    colour = np.array(to_rgb(colour))
    if np.ptp(colour) < 0.02:
        return True
    paper = np.ones(3)
    for base in palette():
        share = (paper - colour) @ (paper - base) / max(1e-9, (paper - base) @ (paper - base))
        if np.abs(paper - share * (paper - base) - colour).max() < 0.01 and share <= 1.001:
            return True
    return False


@every_plot
def test_colours_come_from_the_style(example):
    figure, texts = drawn(example)
    used = {to_hex(text.get_color()) for text in texts}
    for ax in figure.axes:
        used |= {to_hex(line.get_color()) for line in ax.lines}
        used |= {to_hex(patch.get_edgecolor()) for patch in ax.patches if patch.get_linewidth()}
        used |= {to_hex(patch.get_facecolor()) for patch in ax.patches if patch.get_fill()}
        for lines in ax.findobj(LineCollection):
            used |= {to_hex(colour) for colour in lines.get_colors()}
    assert [colour for colour in sorted(used) if not from_style(colour)] == []


@every_plot
def test_returns_axes_at_a_size_that_is_not_shrunk(example):
    axes = axes_of(example)
    assert all(isinstance(ax, Axes) for ax in axes)
    assert axes[0].figure.get_figwidth() <= 9.81  # inches: 848 px of JupyterLab's output and a little, at 90 dpi
    assert axes[0].figure.get_dpi() == 90


def test_every_plot_has_an_example():
    public = {name for name in plots.__all__ if name.startswith("plot_")}
    assert public == {f"plot_{name.split('-')[0]}" for name in EXAMPLES}, "give a new plot its example above"


def test_the_checks_can_fail():
    figure, ax = plt.subplots(figsize=(2, 2), layout="none")
    texts = [ax.text(0.9, 0.5, "far too long for two inches"), ax.text(0.9, 0.5, "and hidden")]
    figure.draw_without_rendering()
    assert clipped_texts(figure, texts) == ["far too long for two inches"] or len(clipped_texts(figure, texts)) == 2
    assert overlapping_texts(texts) == [("and hidden", "far too long for two inches")]
    assert not from_style("tab:purple")
    assert from_style(plots.COLOURS["weight"])


def test_colours():
    style = {key: plots.COLOURS[key] for key in ("input", "weight", "output", "gradient")}
    assert style == {"input": "#0072b2", "weight": "#e69f00", "output": "#009e73", "gradient": "#d55e00"}
    with plt.style.context(plots.STYLE):
        assert [to_hex(c) for c in plt.rcParams["axes.prop_cycle"].by_key()["color"][:4]] == list(style.values())


def test_ink_can_be_read_on_every_fill(rng):
    for fill in [*plots.COLOURS.values(), *rng.random((500, 3))]:
        assert _style.contrast(_style.ink_on(fill), fill) >= 4.5
    assert _style.contrast("black", "white") == pytest.approx(21)


def test_plots_leave_the_readers_style_alone():
    before = dict(plt.rcParams)
    plots.plot_grid(STROKE)
    assert dict(plt.rcParams) == before


@pytest.mark.parametrize("value, decimals, text", [
    (-1, 0, "−1"), (-0.004, 2, "0.00"), (-0.0, 0, "0"), (2.5, 1, "2.5"), (np.nan, 2, "NaN"), (-np.inf, 0, "−∞"),
])
def test_number_text(value, decimals, text):
    assert _style.number_text(value, decimals) == text


@pytest.mark.parametrize("values, decimals", [
    ([1, -2, 30], 0), ([0.5, 1], 1), ([0.25, 1], 2), ([1 / 3, 1], 2), ([1 / 3, 12], 1), ([1 / 3, 120], 0),
    ([np.nan], 0),
])
def test_decimals(values, decimals):
    assert _style.decimals_for(np.array(values, dtype=float)) == decimals


def test_wrap():
    words = "one number of the feature map is a window times a filter"
    lines = _style.wrap(words, 1.5, 12)
    assert " ".join(lines) == words
    assert len(lines) > 2
    assert max(_style.text_width(line, 12) for line in lines) <= 1.5
    assert _style.wrap("a\nb", 9, 12) == ["a", "b"]
