"""Walk through a graph of computations: numbers in, one operation after the other; gradients out, on the way back."""

from cnnlib.plots._graph import Walk
from cnnlib.plots.graph import plot_graph
from cnnlib.widgets.redraw import Redraw


class GraphStepper(Redraw):
    """A slider that steps through a graph, forward and back, and one for each number that goes in.

    At each step it says what was computed, and asks for what comes next: time to work it out before moving on.

    Parameters
    ----------
    build : callable
        ``build(**numbers)`` returns the result, a :class:`cnnlib.scalar.Value`, by the same operations for all numbers.
    weights : sequence of str
        As for :func:`cnnlib.plots.plot_graph`.
    **numbers : sequence of numbers
        By name, the values that each slider steps through; it begins at the first.

    Examples
    --------
    >>> from cnnlib.scalar import Value
    >>> stepper = GraphStepper(lambda w: (Value(w, "w") * 3) ** 2, weights=["w"], w=(2, 1, 0))
    >>> stepper
    Start: what goes in is known. Next: v1 = w · 3 = ?
    >>> stepper.sliders["step"].value = 5
    >>> stepper
    Backward 2 of 2, through v1: ∂v2/∂w = 12 · 3 = 36.
    """

    def __init__(self, build, *, weights=(), **numbers):
        if "step" in numbers:
            raise ValueError("`step` is the name of the stepper's own slider; call the number otherwise")
        first = Walk(build(**{name: values[0] for name, values in numbers.items()}))
        shape = [(node.name, node.op) for node in first.nodes]

        def draw(step, **numbers):
            value = build(**numbers)
            walk = Walk(value)
            if [(node.name, node.op) for node in walk.nodes] != shape:
                raise ValueError(f"`build` makes another graph for {numbers} than for the first numbers")
            return plot_graph(value, weights=weights, step=step), walk.sentence(step)

        super().__init__(draw, step=range(first.last + 1), **numbers)
