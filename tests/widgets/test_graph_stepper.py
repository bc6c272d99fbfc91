"""The stepper's picture and sentence follow the step and the numbers."""

import pytest

pytest.importorskip("ipywidgets")

from cnnlib.scalar import Value  # noqa: E402
from cnnlib.widgets.graph_stepper import GraphStepper  # noqa: E402


def error(w, x):
    return (Value(w, "w") * Value(x, "x")).relu() ** 2


@pytest.fixture
def stepper():
    return GraphStepper(error, weights=["w"], w=(2, -1), x=(3, 4))


def test_begins_before_the_first_operation(stepper):
    assert list(stepper.sliders) == ["step", "w", "x"]
    assert stepper.sliders["step"].options == tuple(range(8))
    assert repr(stepper) == "Start: what goes in is known. Next: v1 = w · x = ?"


def test_a_step_redraws(stepper):
    pictures = set()
    for step in stepper.sliders["step"].options:
        stepper.sliders["step"].value = step
        pictures.add(bytes(stepper._image.value))
    assert len(pictures) == 8
    assert stepper.sentence == "Backward 3 of 3, through v1: ∂v3/∂w = 12 · 3 = 36; ∂v3/∂x = 12 · 2 = 24."


def test_other_numbers_at_the_same_step(stepper):
    stepper.sliders["step"].value = 7
    stepper.sliders["w"].value = -1
    assert stepper.sentence == "Backward 3 of 3, through v1: ∂v3/∂w = 0 · 3 = 0; ∂v3/∂x = 0 · (−1) = 0."


def test_errors():
    with pytest.raises(ValueError, match="`step` is the name of the stepper's own slider"):
        GraphStepper(error, step=(1, 2))
    with pytest.raises(ValueError, match=r"another graph for \{'w': -1\} than for the first numbers"):
        stepper = GraphStepper(lambda w: Value(w, "w").exp() if w > 0 else Value(w, "w").relu(), w=(1, -1))
        stepper._draw(step=0, w=-1)
