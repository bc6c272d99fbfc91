"""The widgets as the lectures show them: a line for each, and every battery of tests tries them all."""

from dataclasses import dataclass, field
from functools import partial

import numpy as np
from match_cases import quarter
from network_cases import drawing_of, small_net
from occlusion_cases import looked_at

from cnnlib import widgets

ROWS = "111111 000010 011100 001000 010000 100000".split()
IMAGE = [[int(digit) for digit in row] for row in ROWS]  # the diagonal stroke of lecture 20
FILTER = [[1, 1, 1], [-1, 1, -1], [1, -1, -1]]
SOBEL = [[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]]
DIGIT = [[0, 0, 5, 13, 9, 1, 0, 0], [0, 0, 13, 15, 10, 15, 5, 0], [0, 3, 15, 2, 0, 11, 8, 0],
         [0, 4, 12, 0, 0, 8, 8, 0], [0, 5, 8, 0, 0, 9, 8, 0], [0, 4, 11, 0, 1, 12, 7, 0],
         [0, 2, 14, 5, 10, 12, 0, 0], [0, 0, 6, 13, 10, 0, 0, 0]]  # a scan of lecture 22
SCAN = drawing_of(np.random.default_rng(3), (8, 8))
PICTURES = {"T": "###. .#.. .#.. .#.. +1", "J": "..#. ..#. #.#. ###. -1", "none": ".... .... .... .... -1",
            "left": "##.. ##.. ##.. ##.. +1", "right": "..## ..## ..## ..## +1", "both": "#### #### #### #### -1",
            "checks": "#.#. .#.# #.#. .#.# +1"}  # letters, and XOR: more than one unit can do
STACK = ("conv 10 5 1 2", "relu", "max 2", "conv 16 5", "linear 10")


@dataclass(frozen=True)
class Example:
    """A widget as a cell makes it.

    Parameters
    ----------
    widget : str
        Its name in cnnlib.widgets.
    arguments : tuple
    change : dict
        Traits and values of another valid state, as a hand may leave it.
    options : dict
    refused : dict
        Traits and values that the widget must refuse aloud; none where nothing can be impossible.
    """

    widget: str
    arguments: tuple
    change: dict
    options: dict = field(default_factory=dict)
    refused: dict = field(default_factory=dict)

    def __call__(self, **state):
        return getattr(widgets, self.widget)(*self.arguments, **{**self.options, **state})

    def again(self, code, **given):
        """Return the widget that its own code makes; what stands there by its name is what is known by it here."""
        made, names = self(), ("image", "kernel", "model", "scans", "image_a", "image_b")
        known = {name: getattr(made, name, None) for name in names}
        known |= {name: value for name, value in given.items() if value is not None}  # no page holds all
        functions = {function.__name__: function for function in (mistaken, unturned, wave)}
        widget = getattr(widgets, self.widget)
        if hasattr(made, "_answers"):  # no page here has a kernel to ask: it knows what it was told at the start
            widget = partial(widget, _told=made._answers)
        return eval(code, {self.widget: widget, **functions, **known})


def mistaken(image, kernel):
    """A student's function with the filter turned, as a convolution in the strict sense has it."""
    return np.array([[(image[i:i + 3, j:j + 3] * kernel[::-1, ::-1]).sum() for j in range(4)] for i in range(4)])


def unturned(grad_output, x, weight):
    """A student's backward function that collects with the filter as it lies."""
    ring, (kh, kw) = np.pad(grad_output, [(k - 1, k - 1) for k in weight.shape]), weight.shape
    grad_x = [[(ring[u:u + kh, v:v + kw] * weight).sum() for v in range(x.shape[1])] for u in range(x.shape[0])]
    rows, cols = grad_output.shape
    grad_weight = [[(x[p:p + rows, q:q + cols] * grad_output).sum() for q in range(kw)] for p in range(kh)]
    return np.array(grad_x), np.array(grad_weight)


def wave(w1, w2):
    """A loss of two weights that is nobody's but the reader's."""
    return (w1 * w1 + w2 * w2) / 4 + np.sin(3 * w1) * w2


def deep(channels, rows, cols):
    rng = np.random.default_rng(channels)
    return rng.integers(-2, 3, (channels, rows, cols)), rng.integers(-1, 2, (channels, 3, 2))


EXAMPLES = {
    "microscope": Example("ConvolutionMicroscope", (IMAGE, FILTER), {"stride": 2, "padding": 1},
                          refused={"dilation": 3}),
    "photo": Example("ConvolutionMicroscope", ("camera", SOBEL), {"stride": 2, "flip": True}, {"row": 100, "col": 200}),
    "channels": Example("ConvolutionMicroscope", deep(3, 7, 6), {"dilation": 2, "channel": 1}),
    "students": Example("ConvolutionMicroscope", (IMAGE, FILTER), {"bias": 1.5}, {"fn": mistaken}),
    "strip": Example("ConvolutionMicroscope", deep(16, 6, 6), {"channel": 5, "stride": 2}),
    "builder": Example("ShapeBuilder", ((3, 32, 32), STACK), {"rounding": "drop", "focus": 0}, {"goal": {"sees": 31}},
                       {"layers": ("conv 10 5 1 2", "max 3 3")}),
    "pooling": Example("PoolingStepper", (DIGIT,), {"kernel_size": 3, "stride": 2, "shift": (0, 1)},
                       {"backward": True}, {"padding": 2}),
    "pooling-16": Example("PoolingStepper", (np.arange(256).reshape(16, 16) % 17,), {"kind": "blurred"},
                          {"ceil_mode": True}, {"kernel_size": 17}),
    "backward": Example("BackwardMicroscope", ([[1, 0, 2], [0, 3, 1], [2, 1, 0]], [[1, 2], [3, 4]]),
                        {"stride": 2, "part": "grad_x"}, {"grad_output": [[1, 0], [2, -1]]}, {"dilation": 3}),
    "backward-7": Example("BackwardMicroscope", (np.arange(49).reshape(7, 7) % 10, SOBEL),
                          {"padding": 1, "stride": 2, "part": "grad_weight"}, {"so_far": True, "row": 2, "col": 3}),
    "backward-yours": Example("BackwardMicroscope", ([[1, 0, 2], [0, 3, 1], [2, 1, 0]], [[1, 2], [3, 4]]),
                              {"part": "grad_x", "row": 1}, {"fn_backward": unturned}),
    "backward-pool": Example("BackwardMicroscope", (np.array(IMAGE)[:5, :5],), {"stride": 1, "part": "grad_x"},
                             {"op": "max_pool2d"}, {"padding": 2}),
    "network": Example("NetworkViewer", (small_net(), (1, 8, 8)), {"view": "layered", "target": 3},
                       {"drawing": SCAN, "selected": [2, 3, 1, 0], "scans": [SCAN, SCAN.T], "grain": 2}),
    "network-back": Example("NetworkViewer", (small_net(), (1, 8, 8)), {"direction": "forward", "contrast": "map"},
                            {"drawing": SCAN, "direction": "backward", "labels": list("abcde")}),
    "occlusion": Example("OcclusionViewer", looked_at(), {"row": 8, "col": 40},
                         {"patch": 16, "stride": 4, "scanned": True, "row": 16, "col": 20,
                          "labels": ["nothing", "bright", "dark"]}, {"patch": 41, "scanned": False}),
    "occlusion-deconvnet": Example("OcclusionViewer", (small_net(), SCAN), {"view": "occlusion", "patch": 2},
                                   {"view": "deconvnet", "layer": "relu2", "channel": 3, "patch": 3, "stride": 1}),
    "race": Example("OptimiserRace", ("ravine",), {"step": 40, "kappa": 30.0, "look": "momentum"},
                    {"lr": {"sgd": 0.05}}, {"steps": 0}),
    "race-own": Example("OptimiserRace", (wave,), {"step": 25, "noise": 0.5, "start": (1.5, -0.5)},
                        {"runners": ["sgd", "adam"], "steps": 80}),
    "masks": Example("MaskExplorer", ("camera", "sobel_N"), {"show": "hysteresis", "low": 0.2, "names": "gradient"},
                     {"row": 100, "col": 118}, {"padding": "valid", "mask": "laplacian", "show": "thin"}),
    "masks-small": Example("MaskExplorer", (np.add.outer(np.zeros(6, int), np.arange(7)), "prewitt_E"),
                           {"names": "gradient", "show": "direction", "padding": "zeros"}, {"row": 2, "col": 3}),
    "masks-own": Example("MaskExplorer", (np.tile([0, 0, 3, 0, 0, 1, 2, 3], (8, 3)), np.eye(5) - 0.2),
                         {"row": 4, "padding": "reflect"}, {"show": "strength"}, {"show": "hysteresis", "low": 0.5}),
    "hog": Example("HogExplorer", ("astronaut",), {"votes": "linear", "cell": (3, 4), "orientations": 12},
                   {"cell": (5, 9), "block": (4, 8), "pixel": (3, 4), "number": 12}, {"orientations": 0}),
    "hog-small": Example("HogExplorer", (np.arange(247).reshape(19, 13) % 11,), {"block_norm": "L1", "block": (1, 0)},
                         {"pixels_per_cell": 4, "votes": "trilinear"}, {"cells_per_block": (2, 9)}),
    "matches": Example("MatchViewer", quarter(0.1), {"stage": "homography", "selected": 9, "draws": 12},
                       {"ratio": 0.9}, {"ratio": 1.5}),
    "matches-truth": Example("MatchViewer", quarter(0.1), {"cross_check": True, "ratio": 0.7, "stage": "wrong"},
                             {"truth": [[0, -1, 127], [1, 0, 0], [0, 0, 1]], "selected": 3}, {"ratio": 0.0}),
    "matches-pick": Example("MatchViewer", quarter(0.1), {"stage": "warp", "blend": 0.25},
                            {"stage": "pick", "ratio": 0.6, "selected": 12, "end": 3,
                             "picked": [0, (20.0, 20.5, 106.0, 21.0), 12, 20]}),
    "walker": Example("ScaleSpaceWalker", ("coins",), {"show": "blur", "contrast": 0.06, "rejected": ["edge"]},
                      {"keypoint": 3, "sigma": 4.0}, {"sigma": 0.3}),
    "walker-small": Example("ScaleSpaceWalker", (np.kron([[0, 1, 0], [1, 0, 0], [0, 0, 1]], np.ones((9, 8))),),
                            {"keypoint": 0, "edge_ratio": 20.0, "sigma": 2.5}, {"rejected": ["contrast", "edge"]},
                            {"contrast": 0.001}),
    "architecture": Example("ArchitectureExplorer", ("resnet50",), {"measure": "mult-adds", "stage": "conv3_x.conv3_1"},
                            {"stage": "conv4_x", "row": 2, "compare": "vgg16"}),
    "architecture-own": Example("ArchitectureExplorer", (small_net(),), {"stage": "conv", "measure": "field"},
                                {"input_shape": (1, 8, 8), "measure": "memory", "photo": "cat"}),
    "adaline": Example("AdalineMachine", (), {"rule": "perceptron", "bias": -0.5, "turn": 3},
                       {"patterns": PICTURES, "weights": np.arange(-8, 8).reshape(4, 4) / 6, "rate": 0.125},
                       {"rate": 0.0}),
    "vgg": Example("ShapeBuilder", (None, "VGG-16"), {"focus": 17, "photo": "cat"}),
}


def each(*names):
    """Parametrise a test over the examples of these names, or over all."""
    import pytest

    chosen = {name: EXAMPLES[name] for name in names or EXAMPLES}
    return pytest.mark.parametrize("example", chosen.values(), ids=chosen)


def microscope(**state):
    return widgets.ConvolutionMicroscope(state.pop("image", IMAGE), state.pop("kernel", FILTER), **state)


def builder(**state):
    return widgets.ShapeBuilder(state.pop("input_shape", (3, 32, 32)), state.pop("layers", STACK), **state)
