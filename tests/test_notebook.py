"""What a notebook says: one captioned picture, code, checked equalities, tables; in plain Python and in a kernel."""

import base64
import io
import re

import numpy as np
import pytest
from matplotlib import pyplot as plt
from PIL import Image

import cnnlib
from cnnlib import _array, notebook, plots

CAPTION = "Two pixels: black is 0, white is 1."


@pytest.fixture(autouse=True)
def _close():
    yield
    plt.close("all")


@pytest.fixture
def shown(monkeypatch):
    """What would be displayed in a notebook: a list of (data, metadata)."""
    outputs = []
    monkeypatch.setattr(notebook, "_display", lambda data, metadata, plain: outputs.append((data, metadata)))
    return outputs


def picture_of(data):
    """The PNG of an output as an array (H, W, 3)."""
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(data["image/png"]))).convert("RGB"))


# -- show ---------------------------------------------------------------------------------------------------------

def test_photographs_are_stored_in_few_colours(shown):
    """A page of noise cannot be small, but is a third of what it was, and the course's colours are still the same."""
    noise = np.random.default_rng(0).random((300, 400, 3))
    figure = plots.plot_keypoints(noise, [[100, 100]], 20).figure
    whole = io.BytesIO()
    figure.savefig(whole, format="png", bbox_inches="tight")
    notebook.show(figure, CAPTION)
    data, _ = shown[-1]
    assert len(base64.b64decode(data["image/png"])) < whole.tell() / 3
    colours = {tuple(colour) for colour in picture_of(data).reshape(-1, 3)}
    assert len(colours) <= 64
    assert {(255, 255, 255), (0, 0, 0), (230, 159, 0)} <= colours  # paper, ink, the circle's orange


def test_small_figures_keep_their_colours(shown):
    notebook.show(plots.plot_grid([[0, 0.25, 0.5]], role="weight", scale="tone"), CAPTION)
    data, _ = shown[-1]
    assert Image.open(io.BytesIO(base64.b64decode(data["image/png"]))).mode == "RGB"


def test_show_emits_one_captioned_picture(shown):
    notebook.show(plots.plot_grid([[0, 1]]), CAPTION)
    [(data, metadata)] = shown
    assert set(data) == {"image/png", "text/plain"}
    assert data["text/plain"] == CAPTION
    assert metadata["image/png"]["alt"] == CAPTION
    picture = picture_of(data)
    assert picture.shape[:2] == (metadata["image/png"]["height"], metadata["image/png"]["width"])
    assert plt.get_fignums() == []


def test_show_accepts_figure_axes_and_arrays(shown):
    axes = plots.plot_maps(np.zeros((2, 3, 3)))
    notebook.show(axes, CAPTION)
    notebook.show(plots.plot_grid([[1]]), CAPTION)
    notebook.show(plots.plot_grid([[1]]).figure, CAPTION)
    assert len(shown) == 3


def test_caption_is_drawn_under_the_figure_and_not_clipped(shown):
    def ink(caption):
        notebook.show(plots.plot_grid([[1, 1], [1, 1]]), caption)
        return picture_of(shown.pop()[0])

    short, long = ink("A sentence."), ink("A sentence that is far wider than the little grid above it. " * 4)
    assert long.shape[0] > short.shape[0] + 40  # it wraps to more lines
    assert long.shape[1] <= 90 * notebook.CAPTION_WIDTH + 1
    for picture in (short, long):
        edges = [picture[:2], picture[-2:], picture[:, :2], picture[:, -2:]]
        assert all((edge == 255).all() for edge in edges)  # nothing touches the border
        assert (picture[-30:] < 100).any()  # there is ink at the foot


def test_nothing_of_a_figure_is_clipped(shown):
    figure, ax = plt.subplots(figsize=(2, 2), layout="none")
    ax.set_title("a title that is far wider than the figure it stands on")
    notebook.show(figure, CAPTION)
    picture = picture_of(shown[0][0])
    assert picture.shape[1] > 3 * 90
    assert (picture[:, :2] == 255).all()
    assert (picture[:, -2:] == 255).all()


def test_show_keeps_captions_literal(shown):
    notebook.show(plots.plot_grid([[1]]), "It costs $5 and\n   $6, at x_1 \\alpha.")
    assert shown[0][0]["text/plain"] == "It costs $5 and $6, at x_1 \\alpha."


@pytest.mark.parametrize("caption", ["", "  ", None, 3])
def test_show_refuses_a_missing_caption(caption):
    with pytest.raises(ValueError, match=re.escape(f"not {caption!r}" if caption != "  " else "not ''")):
        notebook.show(plots.plot_grid([[1]]), caption)


def test_show_refuses_an_empty_figure():
    with pytest.raises(ValueError, match="no axes"):
        notebook.show(plt.figure(), CAPTION)


# -- source -------------------------------------------------------------------------------------------------------

def decorated_example():
    """First line.

    More of it.
    """
    return 1


def test_source_shows_the_code_that_runs(shown):
    notebook.source(_array.dtype_name, plots.plot_grid)
    [(data, metadata)] = shown
    assert metadata == {}
    plain = data["text/plain"]
    assert plain.startswith("cnnlib/_array.py\n\ndef dtype_name(x):\n")
    assert "cnnlib/plots/grid.py\n\n@styled\ndef plot_grid(" in plain
    assert "Parameters" not in plain
    assert data["text/markdown"].startswith("`cnnlib/_array.py`\n\n````python\ndef dtype_name(x):")
    assert data["text/markdown"].count("````") == 4
    assert not re.search(r"/(site-packages|home|root)/|0x[0-9a-f]{6}|line \d", plain)
    for line in plain.split("\n"):
        assert line in data["text/markdown"] or line == ""


def test_source_cuts_docstrings_to_their_first_line(shown):
    notebook.source(decorated_example)
    notebook.source(decorated_example, docstring=True)
    short, full = (data["text/plain"] for data, _ in shown)
    assert short.endswith('def decorated_example():\n    """First line."""\n    return 1')
    assert "More of it." in full
    scope = {}
    exec(short.split("\n\n", 1)[1], scope)
    assert scope["decorated_example"]() == decorated_example()


def test_source_cuts_raw_docstrings_and_those_inside():
    code = 'class A:\n    r"""One \\alpha.\n\n    Two.\n    """\n\n    def f(self):\n        """F.\n\n        G."""\n'
    assert notebook._first_lines(code) == 'class A:\n    r"""One \\alpha."""\n\n    def f(self):\n        """F."""\n'


def test_source_errors():
    with pytest.raises(TypeError, match="written in Python, not <built-in function len>"):
        notebook.source(len)
    with pytest.raises(TypeError, match="at least one function"):
        notebook.source()


# -- agree --------------------------------------------------------------------------------------------------------

def test_agree_prints(array, capsys):
    notebook.agree("both", array([1.0, 2.0]), [1.0, 2.0 + 1e-11])
    notebook.agree("whole numbers", array([1, 2]), np.array([1, 2]))
    notebook.agree("singles", array(np.ones(3, np.float32)), np.full(3, 1 + 5e-6))
    notebook.agree("a looser one", array([1.0]), [1.01], tolerance=0.02)
    assert capsys.readouterr().out == ("✓ both: equal (tolerance 1e-10)\n✓ whole numbers: equal (exactly)\n"
                                       "✓ singles: equal (tolerance 1e-05)\n✓ a looser one: equal (tolerance 0.02)\n")


@pytest.mark.parametrize("actual, expected, message", [
    ([[1.0, 2], [3, 4]], [[1.0, 2], [3, 5]],
     r"largest difference 1 at \(1, 1\): 4.0 and 5.0 \(1 of 4 differ by more than 5e-10\)"),
    ([1.0], [1.0 + 1e-9], r"largest difference 1e-09 at \(0,\)"),
    ([1, 2, 3], [1, 2, 4], r"largest difference 1 at \(2,\): 3 and 4 \(1 of 3 differ by more than 0\)"),
    ([2**60], [2**60 + 1], r"largest difference 1 at \(0,\)"),
    ([1.0, 2], [[1.0, 2]], r"shapes differ: \(2,\) and \(1, 2\)"),
    ([1.0, 1.0], 1.0, r"shapes differ: \(2,\) and \(\)"),
    ([], [], r"nothing is compared: both are empty, of shape \(0,\)"),
    ([np.nan], [np.nan], "NaN in 1 actual, 1 expected of 1"),
    ([np.inf], [1.0], r"largest difference inf at \(0,\): inf and 1.0"),
    ([np.inf], [-np.inf], "largest difference inf"),
    ([True, False], [True, True], r"largest difference 1 at \(1,\): 0 and 1"),
])
def test_agree_fails(actual, expected, message, capsys):
    with pytest.raises(AssertionError, match="^the case: .*" + message):
        notebook.agree("the case", np.array(actual), np.array(expected))
    assert capsys.readouterr().out == ""


def test_agree_measures_against_the_largest_number():
    notebook.agree("large", [1e6 + 1e-5], [1e6])
    notebook.agree("infinite", [np.inf, 1.0], [np.inf, 1.0])
    with pytest.raises(AssertionError, match="1e-05"):
        notebook.agree("small", [1e-5], [0.0])
    with pytest.raises(AssertionError, match="differ by more than 0"):
        notebook.agree("exactly", [0.1 + 0.2], [0.3], tolerance=0)


def test_agree_on_nan():
    notebook.agree("holes", [np.nan, 1.0], [np.nan, 1.0], nan=True)
    with pytest.raises(AssertionError, match=r"only one is NaN at \(0,\): nan and 2.0"):
        notebook.agree("holes", [np.nan, 1.0], [2.0, 1.0], nan=True)
    with pytest.raises(AssertionError, match="largest difference 1"):
        notebook.agree("holes", [np.nan, 1.0], [np.nan, 2.0], nan=True)


def test_agree_refuses_checks_that_cannot_fail():
    values = np.ones(3)
    with pytest.raises(ValueError, match="compared with itself"):
        notebook.agree("itself", values, values)
    with pytest.raises(ValueError, match="compared with itself"):
        notebook.agree("itself", values, values[:])
    notebook.agree("its neighbours", values[1:], values[:-1])
    with pytest.raises(ValueError, match="finite number from 0 up, not inf"):
        notebook.agree("anything", 1.0, 5.0, tolerance=float("inf"))
    with pytest.raises(ValueError, match="not ''"):
        notebook.agree("", values, values + 0)
    with pytest.raises(ValueError, match="not nan"):
        notebook.agree("nan", values, values + 0, tolerance=np.nan)
    with pytest.raises(TypeError, match="`actual` must hold real numbers, not <U1"):
        notebook.agree("words", ["a"], ["a"])


def test_tolerances_are_those_of_the_tests():
    from helpers import TOLERANCE
    assert notebook.TOLERANCE == TOLERANCE


# -- table, setup, devices ----------------------------------------------------------------------------------------

def test_table():
    text = notebook.table([["a", 1, None], ["bcd", 12345, -0.5]], ["name", "count", "x"])
    assert text.split("\n") == ["name   count     x", "────  ──────  ────", "a          1     –", "bcd   12,345  −0.5"]
    assert notebook.table([[True, 1 / 3], [np.False_, "?"]]) == "yes  0.3333\nno   ?"
    assert notebook.table([[np.float32(0.5)], [np.int64(10)]]) == "0.5\n 10"
    with pytest.raises(ValueError, match=r"not \[1, 2\] cells"):
        notebook.table([[1, 2], [3]])
    with pytest.raises(ValueError, match=r"not \[1, 2\] cells"):
        notebook.table([[1, 2]], ["a"])


def test_setup(capsys):
    with plt.style.context("default"):
        notebook.setup(seed=3)
        first = np.random.rand()  # noqa: NPY002 - what setup seeds is the global generator
        notebook.setup(seed=3)
        assert np.random.rand() == first  # noqa: NPY002
        assert plt.rcParams["font.size"] == 12
    out = capsys.readouterr().out
    assert len(out.strip().split("\n")) == 12
    assert f"NumPy       {np.__version__}" in out
    assert f"cnnlib      {cnnlib.__version__}" in out


def test_without_torch(monkeypatch, capsys):
    monkeypatch.setitem(__import__("sys").modules, "torch", None)  # as if it were not installed
    assert notebook.gpu() is None
    assert notebook.device() == "CPU"
    notebook.setup()
    assert "torch       not installed" in capsys.readouterr().out


def test_gpu_and_device_agree():
    torch = pytest.importorskip("torch")
    if torch.cuda.is_available():
        assert notebook.gpu() == torch.device("cuda")
        assert torch.cuda.get_device_name(0) in notebook.device()
    else:
        assert (notebook.gpu(), notebook.device()) == (None, "CPU")


def test_in_a_kernel(monkeypatch):
    monkeypatch.delenv("MPLBACKEND", raising=False)  # the kernel sets its own
    nbclient = pytest.importorskip("nbclient")
    nbformat = pytest.importorskip("nbformat")
    cells = ["from cnnlib import notebook, plots\nnotebook.setup()",
             f"notebook.show(plots.plot_grid([[0, 1]]), {CAPTION!r})",
             "notebook.source(notebook.gpu)", "plots.plot_grid([[0, 1]]);"]
    book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    nbclient.NotebookClient(book, timeout=120, kernel_name="python3").execute()
    setup, show, source, bare = (cell.outputs for cell in book.cells)
    assert [output.output_type for output in setup] == ["stream"]
    [figure] = show
    assert figure.output_type == "display_data"
    assert figure.data["text/plain"] == CAPTION
    assert figure.metadata["image/png"]["alt"] == CAPTION
    assert picture_of(figure.data).shape[1] == figure.metadata["image/png"]["width"]
    [code] = source
    assert "def gpu():" in code.data["text/plain"]
    assert "def gpu():" in code.data["text/markdown"]
    assert ["image/png" in output.data for output in bare] == [True]


def test_source_cuts_any_kind_of_docstring(tmp_path, monkeypatch, capsys):
    (tmp_path / "quoted.py").write_text("def f():\n    '''One.\n\n    Two.\n    '''\n    return 1\n")
    monkeypatch.syspath_prepend(tmp_path)
    import quoted

    notebook.source(quoted.f)
    assert "'''One.'''\n    return 1" in capsys.readouterr().out
