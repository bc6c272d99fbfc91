"""plot_graph: names, numbers, slopes and gradients are those of the graph, whole and step by step."""

import pytest
from matplotlib import pyplot as plt

from cnnlib.plots import _graph
from cnnlib.plots._graph import Walk, short
from cnnlib.plots.graph import plot_graph
from cnnlib.scalar import Value


@pytest.fixture(autouse=True)
def _close():
    yield
    plt.close("all")


def named(value, name):
    value.name = name
    return value


def error():
    """E = (w2 w1 x - 1)^2, the syllabus' example."""
    w1, w2 = Value(2.0, "w1"), Value(3.0, "w2")
    o = named(w2 * named(w1 * Value(1.0, "x"), "a"), "o")
    return named((o - 1) ** 2, "E")


def twice():
    """x x + x: one number, used three times."""
    x = Value(3.0, "x")
    return named(x * x + x, "E")


def boxes(ax):
    """Return {first word of the second line: the box's other texts}, read off the drawing."""
    texts = [text.get_text() for text in ax.texts]
    starts = [k - 1 for k, text in enumerate(texts) if " = " in text]
    return {texts[k + 1].split(" = ")[0]: (texts[k], texts[k + 1].split(" = ")[1], *texts[k + 2:k + 3])
            for k in starts}


def test_known_values():
    ax = plot_graph(error(), weights=["w1", "w2"])
    assert boxes(ax) == {
        "w1": ("weight", "2", "grad 30"), "w2": ("weight", "3", "grad 20"), "x": ("input", "1", "grad 60"),
        "a": ("w1 · x", "2", "grad 30"), "o": ("w2 · a", "6", "grad 10"), "v1": ("o − 1", "5", "grad 10"),
        "E": ("v1²", "25", "grad 1")}
    assert sorted(text.get_text() for text in ax.texts if text.get_text().startswith("×")) == \
        ["×1", "×1", "×10", "×2", "×2", "×3"]


def test_the_gradients_are_those_of_backward():
    x, w = Value(0.5, "x"), Value(-1.5, "w")
    y = (w * (w * x).tanh() + (x - 2).sigmoid() / w).exp()
    y.backward()
    y.backward()  # drawn is the derivative, not what has added up
    grads = Walk(y).grads
    assert [grads[id(node)] for node in (x, w)] == pytest.approx([x.grad / 2, w.grad / 2])


def test_forward_alone():
    ax = plot_graph(error(), gradients=False)
    assert [text.get_text() for text in ax.texts if "grad" in text.get_text() or "×" in text.get_text()] == []
    assert boxes(ax)["o"][:2] == ("w2 · a", "6")


def test_steps():
    E, walk = error(), Walk(error())
    assert walk.last == 9
    known = [{name: box[1:3] for name, box in boxes(plot_graph(E, step=step)).items()} for step in range(10)]
    assert known[0]["w1"] == ("2", "grad ?") and known[0]["a"] == ("?", "grad ?")
    assert [known[step]["o"][0] for step in (1, 2)] == ["?", "6"]
    assert [known[step]["E"] for step in (3, 4, 5)] == [("?", "grad ?"), ("25", "grad ?"), ("25", "grad 1")]
    assert [known[step]["w2"][1] for step in (7, 8)] == ["grad ?", "grad 20"]
    assert [known[step]["w1"][1] for step in (8, 9)] == ["grad ?", "grad 30"]


def test_what_comes_back_on_several_wires_adds_up():
    E = twice()
    grads = [boxes(plot_graph(E, step=step))["x"][2] for step in (3, 4, 5)]
    assert grads == ["grad ?", "grad 1 + ?", "grad 7"]
    assert Walk(E).sentence(5) == "Backward 2 of 2, through v1: ∂E/∂x = 1 + 1 · 3 + 1 · 3 = 7."
    assert Walk(E).sentence(4).startswith(
        "Backward 1 of 2, through E: ∂E/∂v1 = 1 · 1 = 1; ∂E/∂x = 1 · 1 = 1, and more to come. Next: ∂E/∂x?")


def test_sentences():
    walk = Walk(error())
    assert [walk.sentence(step) for step in (0, 2, 4, 5, 8)] == [
        "Start: what goes in is known. Next: a = w1 · x = ?",
        "Forward 2 of 4: o = w2 · a = 3 · 2 = 6. Next: v1 = o − 1 = ?",
        "Forward 4 of 4: E = v1² = 5² = 25. Next: the way back.",
        "Backward begins with ∂E/∂E = 1. Next: ∂E/∂v1?",
        "Backward 3 of 4, through o: ∂E/∂w2 = 10 · 2 = 20; ∂E/∂a = 10 · 3 = 30. Next: ∂E/∂w1 and ∂E/∂x?"]


@pytest.mark.parametrize("build, formula", [
    (lambda w: w * 2, "w · 2"), (lambda w: 2 * w, "w · 2"), (lambda w: w - 2, "w − 2"), (lambda w: -w, "−w"),
    (lambda w: w + 0.25, "w + 0.25"), (lambda w: w**3, "w³"), (lambda w: w**-1, "w⁻¹"), (lambda w: w**0.5, "w⁰·⁵"),
    (lambda w: w.tanh(), "tanh(w)"), (lambda w: w.relu(), "relu(w)"), (lambda w: w.sigmoid(), "σ(w)"),
    (lambda w: w.exp(), "exp(w)"), (lambda w: w.log(), "log(w)"), (lambda w: w * -3, "w · (−3)"),
])
def test_formulas(build, formula):
    out = build(Value(4.0, "w"))
    assert Walk(out).formula(out) == formula


def test_formula_in_numbers_keeps_its_brackets():
    out = Value(-1.5, "w") * Value(-0.5, "x")
    assert Walk(out).formula(out, numbers=True) == "−1.5 · (−0.5)"
    assert Walk(square := Value(-2.0, "w") ** 2).formula(square, numbers=True) == "(−2)²"


@pytest.mark.parametrize("number, text", [
    (0.0, "0"), (-0.0, "0"), (25.0, "25"), (-1.5, "−1.5"), (0.95319, "0.953"), (-0.0004219, "−4.2·10⁻⁴"),
    (9.5367e-7, "9.5·10⁻⁷"), (123456.0, "123456"), (1234.56, "1235"), (3e7, "3·10⁷"), (float("inf"), "∞"),
])
def test_numbers_as_labels(number, text):
    assert short(number) == text


def test_no_wire_runs_through_a_box():
    """A number that is used far away passes the boxes between."""
    w, x = Value(2.0, "w"), Value(1.0, "x")
    ax = plot_graph(w * (w * (w * x)))
    frames = [patch.get_bbox() if hasattr(patch, "get_bbox") else patch.get_extents() for patch in ax.patches
              if hasattr(patch, "get_boxstyle")]
    assert len(frames) == 5
    for line in ax.lines:
        points = list(zip(line.get_xdata(), line.get_ydata()))
        for (x0, y0), (x1, y1) in zip(points, points[1:]):
            inside = [(x0 + t / 40 * (x1 - x0), y0 + t / 40 * (y1 - y0)) for t in range(1, 40)]
            assert not any(box.x0 < px < box.x1 and min(box.y0, box.y1) < py < max(box.y0, box.y1)
                           for px, py in inside for box in frames)


@pytest.mark.parametrize("step", [None, 5])
def test_every_text_stands_inside_its_box(step):
    """Formulas, bold numbers and sums that wait for more; beside them no slope lies on a box."""
    w, x = Value(-1.2345, "w"), Value(-0.0001234, "brightness")
    ax = plot_graph(w * (w * x).tanh(), step=step)
    ax.figure.draw_without_rendering()
    boxes = [patch.get_window_extent() for patch in ax.patches if hasattr(patch, "get_boxstyle")]
    texts = [(text.get_text(), text.get_window_extent()) for text in ax.texts if text.get_text()]
    assert len(boxes) == 5 and len(texts) >= 15
    for words, extent in texts:
        inside = [box for box in boxes if box.x0 <= extent.x0 and extent.x1 <= box.x1 and
                  box.y0 <= extent.y0 and extent.y1 <= box.y1]
        touched = [box for box in boxes if box.overlaps(extent)]
        assert len(touched) == len(inside) == (not words.startswith("×")), words


def test_every_step_is_laid_out_alike():
    def places(step):
        boxes = [patch for patch in plot_graph(twice(), step=step).patches if hasattr(patch, "get_boxstyle")]
        return [(round(box.get_x(), 6), round(box.get_width(), 6)) for box in boxes]
    assert all(places(step) == places(0) for step in range(1, Walk(twice()).last + 1))


def test_a_number_far_apart_keeps_its_distance():
    from cnnlib.plots.graph import _apart
    assert _apart([0.0, 0.0]) == [-0.5, 0.5]
    assert _apart([0.0, 5.0]) == [0.0, 5.0]
    assert _apart([1.0, 1.0, 1.0, 9.0]) == [0.0, 1.0, 2.0, 9.0]


def test_errors():
    with pytest.raises(ValueError, match=r'has a name: Value\(2.0, "w"\) gives one'):
        plot_graph(Value(1.0) + 2)
    with pytest.raises(ValueError, match=r"`weights` names \['w3'\]; the leaves are \['w2', 'w1', 'x'\]"):
        plot_graph(error(), weights=["w1", "w3"])
    with pytest.raises(ValueError, match="`step` is 10; this graph has the steps 0 to 9"):
        plot_graph(error(), step=10)
    deep = Value(1.0, "x")
    for _ in range(12):
        deep = deep.tanh()
    with pytest.raises(ValueError, match=r"would be \d+\.\d inches wide, more than the 11.6"):
        plot_graph(deep)


def test_the_words_cover_every_operation_of_the_scalar_engine():
    x = Value(0.5, "x")
    made = {(x + x).op, (x * x).op, x.exp().op, x.log().op, x.tanh().op, x.sigmoid().op, x.relu().op}
    assert made == set(_graph.WORDS)
