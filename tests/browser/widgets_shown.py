"""The widgets as the lectures show them, by name; all tests of what widgets share run over these."""

import numpy as np

ROWS = "111111 000010 011100 001000 010000 100000".split()
IMAGE = [[int(digit) for digit in row] for row in ROWS]  # the diagonal stroke of lecture 20
FILTER = [[1, 1, 1], [-1, 1, -1], [1, -1, -1]]
SOBEL = [[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]]


def microscope(**state):
    from cnnlib.widgets import ConvolutionMicroscope

    return ConvolutionMicroscope(state.pop("image", IMAGE), state.pop("kernel", FILTER), **state)


def photo(**state):
    return microscope(image="camera", kernel=SOBEL, row=100, col=200, **state)


def channels(**state):
    rng = np.random.default_rng(3)
    return microscope(image=rng.integers(-2, 3, (3, 7, 6)), kernel=rng.integers(-1, 2, (3, 3, 2)), **state)


def builder(**state):
    from cnnlib.widgets import ShapeBuilder

    return ShapeBuilder(state.pop("input_shape", (3, 32, 32)),
                        state.pop("layers", ["conv 10 5 1 2", "relu", "max 2", "conv 16 5", "linear 10"]), **state)


WIDGETS = {"microscope": microscope, "photo": photo, "channels": channels, "builder": builder}
