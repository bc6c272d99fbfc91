"""What a lecture says besides its prose: set-up, captioned figures, source code, checked equalities, tables.

Everything printed here is pinned by strict nbval, so nothing depends on the machine except :func:`setup`.
"""

import ast
import base64
import importlib.util
import inspect
import io
import platform
import re
import sys
import textwrap
import time
from pathlib import Path

import matplotlib
import numpy as np
from matplotlib import pyplot as plt
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image

import cnnlib
from cnnlib import _array, plots
from cnnlib.plots import _palette, _style

TOLERANCE = {"float64": 1e-10, "float32": 1e-5, "float16": 2e-3, "bfloat16": 2e-2}  # largest error, see agree
LARGE = 40_000  # bytes of a figure above which it is stored in fewer colours, as photographs need
CAPTION_SIZE = 12  # points
CAPTION_WIDTH = 7  # inches, at most, where the figure is narrower


def setup(seed=0):
    """Prepare a notebook: print one table of versions and device, set the style, seed the generators.

    Parameters
    ----------
    seed : int
        For NumPy's and torch's global generators, which some cells of other people's code use. Nothing in
        cnnlib draws from them.

    Examples
    --------
    >>> setup()  # doctest: +ELLIPSIS
    Python      3...
    """
    plt.style.use(plots.STYLE)
    _inline_png()
    np.random.seed(seed)  # noqa: NPY002 - the global generator is meant here
    torch = _torch()
    if torch is not None:
        torch.manual_seed(seed)
    print(table([
        ["Python", platform.python_version()],
        ["NumPy", np.__version__],
        ["matplotlib", matplotlib.__version__],
        ["torch", "not installed" if torch is None else torch.__version__],
        ["device", device()],
        ["cnnlib", cnnlib.__version__],
    ]))


def gpu():
    """Return ``torch.device("cuda")``, or None where there is no torch or no such device."""
    torch = _torch()
    return torch.device("cuda") if torch is not None and torch.cuda.is_available() else None


def device():
    """Say in words what tensors are computed on, such as ``"NVIDIA H200, 140 GiB"`` or ``"CPU"``."""
    if gpu() is None:
        return "CPU"
    found = _torch().cuda.get_device_properties(0)
    return f"{found.name}, {found.total_memory / 2**30:.0f} GiB"


def show(figure, caption):
    """Show a figure as one picture with its caption under it, and close it.

    Parameters
    ----------
    figure : matplotlib Figure, Axes, or array of Axes
        What a ``plot_*`` function returns.
    caption : str
        One or two sentences that say what the figure shows, its numbers included.

    Notes
    -----
    The caption is drawn into the picture, since that is the one place that JupyterLab, Colab, GitHub and a
    printed page all show. It is also the output's plain text, so nbval compares it, and the picture's
    alternative text, for exported pages and screen readers.

    Examples
    --------
    >>> show(plots.plot_grid([[0, 1]]), "Two pixels: black is 0, white is 1.")
    Two pixels: black is 0, white is 1.
    """
    if not isinstance(figure, Figure):
        figure = np.ravel(figure)[0].figure
    caption = " ".join(caption.split()) if isinstance(caption, str) else caption
    if not caption or not isinstance(caption, str):
        raise ValueError(f"`caption` must be a sentence that says what the figure shows, not {caption!r}")
    if not figure.axes:
        raise ValueError("`figure` is empty: it has no axes")
    picture, size = _captioned(figure, caption)
    plt.close(figure)
    _display({"image/png": picture, "text/plain": caption}, {"image/png": {"alt": caption, **size}}, caption)


def source(*functions, docstring=False):
    """Show the source code of functions or classes of the library, and the file it stands in.

    Parameters
    ----------
    *functions : functions, methods or classes
    docstring : bool
        False keeps only the first line of each docstring, so that the code fits a screen; ``help(function)``
        shows the rest.

    Examples
    --------
    >>> source(gpu)  # doctest: +ELLIPSIS
    cnnlib/notebook.py
    <BLANKLINE>
    def gpu():
        ...
        torch = _torch()
        return torch.device("cuda") if torch is not None and torch.cuda.is_available() else None
    """
    if not functions:
        raise TypeError("source() needs at least one function")
    listings = [_listing(function, docstring) for function in functions]
    plain = "\n\n".join(f"{path}\n\n{code}" for path, code in listings)
    markdown = "\n\n".join(f"`{path}`\n\n````python\n{code}\n````" for path, code in listings)
    _display({"text/markdown": markdown, "text/plain": plain}, {}, plain)


def agree(what, actual, expected, tolerance=None, *, nan=False):
    """Check that two arrays are equal, and say so; raise with the largest difference if they are not.

    Parameters
    ----------
    what : str
        What is compared, in words.
    actual, expected : arrays of one shape, or numbers
        NumPy, torch or nested lists, in any mixture.
    tolerance : float, optional
        Largest allowed difference, measured against the largest expected number (against 1 where that is
        smaller). None: that of the less precise of the two dtypes (float64 1e-10, float32 1e-5, float16
        2e-3, bfloat16 2e-2); integers must be equal.
    nan : bool
        Allow NaN where both have it.

    Raises
    ------
    AssertionError
        Shapes differ, values differ by more, either is empty or holds NaN.
    ValueError
        An array is compared with itself, which could not fail.

    Examples
    --------
    >>> agree("1 + 1 and 2", np.array([1]) + 1, [2])
    ✓ 1 + 1 and 2: equal (exactly)
    >>> agree("a third and 0.333", 1 / 3, 0.333)  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    AssertionError: a third and 0.333: largest difference 0.000333 at (): 0.3333333333333333 and 0.333 ...
    """
    if not isinstance(what, str) or not what.strip():
        raise ValueError(f"`what` must say in words what is compared, not {what!r}")
    default = max(_tolerance(actual), _tolerance(expected))
    tolerance = default if tolerance is None else tolerance
    if not 0 <= tolerance < np.inf:
        raise ValueError(f"`tolerance` must be a finite number from 0 up, not {tolerance}")
    if _same_memory(_array.to_numpy(actual), _array.to_numpy(expected)):
        raise ValueError(f"{what}: an array is compared with itself, which cannot fail")
    actual, expected = _comparable(what, "actual", actual), _comparable(what, "expected", expected)
    if actual.shape != expected.shape:
        raise AssertionError(f"{what}: shapes differ: {actual.shape} and {expected.shape}")
    if actual.size == 0:
        raise AssertionError(f"{what}: nothing is compared: both are empty, of shape {actual.shape}")
    _refuse_nan(what, actual, expected, nan)
    _compare(what, actual, expected, tolerance)
    print(f"✓ {what}: equal ({f'tolerance {tolerance:g}' if tolerance else 'exactly'})")


def table(rows, header=None):
    """Return rows as aligned plain text: numbers to the right, words to the left.

    Parameters
    ----------
    rows : sequence of sequences of str, int, float, bool or None
        Whole numbers get thousands separators, floats four significant digits; strings stay as they are.
        A column is aligned to the right where each of its cells is a number or None.
    header : sequence of str, optional

    Returns
    -------
    str, for ``print``

    Examples
    --------
    >>> print(table([["conv", 760], ["relu", 0], ["linear", 1048576]], ["layer", "parameters"]))
    layer   parameters
    ──────  ──────────
    conv           760
    relu             0
    linear   1,048,576
    """
    rows = [list(row) for row in rows]
    widths = {len(row) for row in rows} | ({len(header)} if header is not None else set())
    if len(widths) != 1:
        raise ValueError(f"all rows and the header must be equally long, not {sorted(widths)} cells")
    right = [all(_is_number(row[k]) for row in rows) for k in range(widths.pop())]
    lines = ([list(header)] if header is not None else []) + [[_cell(value) for value in row] for row in rows]
    columns = [max(len(line[k]) for line in lines) for k in range(len(right))]
    if header is not None:
        lines.insert(1, ["─" * width for width in columns])
    aligned = [[text.rjust(width) if to_right else text.ljust(width)
                for text, width, to_right in zip(line, columns, right)] for line in lines]
    return "\n".join("  ".join(line).rstrip() for line in aligned)


def fastest(calls, rounds=5):
    """Return the seconds of each call's fastest turn: the calls take turns, and what disturbs only adds time.

    Parameters
    ----------
    calls : mapping of str to callable without arguments
    rounds : int

    Returns
    -------
    dict of str to float, in seconds

    Examples
    --------
    >>> times = fastest({"a little": lambda: sum(range(10)), "a lot": lambda: sum(range(10**5))})
    >>> times["a little"] < times["a lot"]
    True
    """
    wait = _torch().cuda.synchronize if gpu() else int  # a GPU call returns before its work is done
    best = dict.fromkeys(calls, float("inf"))
    for _ in range(rounds):
        for name, call in calls.items():
            wait()
            start = time.perf_counter()
            call()
            wait()
            best[name] = min(best[name], time.perf_counter() - start)
    return best


def _torch():
    """Return torch, or None where it is not installed or does not load."""
    try:
        import torch
    except (ImportError, OSError):
        return None
    return torch


def _shell():
    """Return the notebook's IPython shell, or None in plain Python; never imports IPython."""
    ipython = sys.modules.get("IPython")
    return ipython.get_ipython() if ipython is not None else None


def _inline_png():
    """Make figures that a cell leaves open appear as PNG, where there is a kernel to show them."""
    if hasattr(_shell(), "kernel") and importlib.util.find_spec("matplotlib_inline"):
        from matplotlib_inline.backend_inline import set_matplotlib_formats
        set_matplotlib_formats("png")


def _display(data, metadata, plain):
    """Emit one display_data output; in plain Python print the text."""
    if _shell() is None:
        print(plain)
        return
    from IPython.display import display
    display(data, metadata=metadata, raw=True)


def _captioned(figure, caption):
    """Draw the figure and under it the caption; return the PNG in base64 and its size in pixels."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=figure.dpi, bbox_inches="tight", pad_inches=0.08)
    page = with_caption(Image.open(buffer), caption, figure.dpi)
    return base64.b64encode(_stored(page)).decode(), {"width": page.width, "height": page.height}


def _stored(page):
    """Return a picture as PNG bytes: in its own colours if it is small so, else in fewer, down to 64."""
    for colours in (None, 128, 64):
        buffer = io.BytesIO()
        (page if colours is None else _palette.reduced(page, colours)).save(buffer, "PNG", optimize=True)
        if buffer.tell() <= LARGE:
            break
    return buffer.getvalue()


def with_caption(picture, caption, dpi):
    """Return a picture of PIL's with a sentence under it, as wide as the picture or as one line of it."""
    drawn = picture.convert("RGB")
    one_line = _style.text_width(caption, CAPTION_SIZE) + 0.2
    width = max(drawn.width / dpi, min(one_line, CAPTION_WIDTH))
    lines = _style.wrap(caption, width - 0.2, CAPTION_SIZE)
    with matplotlib.rc_context(_style.RC):
        below = Figure(figsize=(width, 0.24 * len(lines) + 0.12), dpi=dpi, layout="none")
        canvas = FigureCanvasAgg(below)
        below.text(0.08 / width, 1, "\n".join(lines), size=CAPTION_SIZE, va="top", linespacing=1.3,
                   parse_math=False)
        canvas.draw()
    text = Image.fromarray(np.asarray(canvas.buffer_rgba())).convert("RGB")
    size = max(drawn.width, text.width), drawn.height + text.height
    page = Image.new("RGB", size, plots.COLOURS["paper"])
    page.paste(drawn, (0, 0))
    page.paste(text, (0, drawn.height))
    return page


def _listing(function, docstring):
    """Return (file, code) of one function, method or class."""
    function = inspect.unwrap(function)
    try:
        code = textwrap.dedent(inspect.getsource(function)).rstrip()
        stem = Path(inspect.getsourcefile(function)).stem
    except (TypeError, OSError):
        raise TypeError(f"source() shows functions and classes written in Python, not {function!r}") from None
    module = function.__module__
    path = module.replace(".", "/") + ("/__init__.py" if stem == "__init__" else ".py")
    return ("this notebook" if module == "__main__" else path), code if docstring else _first_lines(code)


def _first_lines(code):
    """Cut each docstring in the code down to its first line."""
    lines = code.split("\n")
    nodes = [node for node in ast.walk(ast.parse(code))
             if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)]
    for node in sorted(nodes, key=lambda node: node.lineno, reverse=True):
        text = ast.get_docstring(node)
        if text is None or "\n" not in text:
            continue
        first, last = node.body[0].lineno - 1, node.body[0].end_lineno
        opening, quotes = re.match(r"""(\s*[a-zA-Z]*("{3}|'{3}|["']))""", lines[first]).groups()
        lines[first:last] = [opening + text.split("\n")[0] + quotes]
    return "\n".join(lines)


def _same_memory(a, b):
    """Whether both are the same numbers in memory, be it by two names."""
    where = [(x.__array_interface__["data"][0], x.shape, x.strides, x.dtype) for x in (a, b)]
    return a.size > 0 and where[0] == where[1]


def _tolerance(values):
    """Return the largest error that the dtype of the values excuses; none for whole numbers."""
    dtype = _array.dtype_name(values if _array.is_torch(values) else np.asarray(values))
    return TOLERANCE.get(dtype, 0)


def _comparable(what, name, values):
    """Return the values as a NumPy array of numbers."""
    values = _array.to_numpy(values)
    if values.dtype.kind not in "buif":
        raise TypeError(f"{what}: `{name}` must hold real numbers, not {values.dtype}")
    return values.astype(np.int64) if values.dtype.kind == "b" else values


def _refuse_nan(what, actual, expected, allowed):
    """Raise if there is NaN that is not allowed, or not in both at the same places."""
    ours, theirs = np.isnan(actual), np.isnan(expected)
    if allowed and not np.array_equal(ours, theirs):
        index = _place(np.argmax(ours != theirs), ours.shape)
        raise AssertionError(f"{what}: only one is NaN at {index}: {actual[index]} and {expected[index]}")
    if not allowed and (ours.any() or theirs.any()):
        raise AssertionError(f"{what}: NaN in {ours.sum()} actual, {theirs.sum()} expected of {ours.size}")


def _compare(what, actual, expected, tolerance):
    """Raise with the largest difference if it is above the tolerance."""
    wrong = (actual != expected) & ~(np.isnan(actual) & np.isnan(expected))
    finite = np.isfinite(actual) & np.isfinite(expected)
    a, e = (np.where(finite, values, 0).astype(np.float64) for values in (actual, expected))
    error = np.where(finite, np.abs(a - e), np.where(wrong, np.inf, 0))
    if actual.dtype.kind != "f" and expected.dtype.kind != "f":
        error = np.maximum(error, wrong)  # whole numbers too large for floats still differ by 1 at least
    limit = tolerance * max(1.0, np.abs(e).max())
    if error.max() > limit:
        index = _place(np.argmax(error), error.shape)
        raise AssertionError(
            f"{what}: largest difference {error[index]:.3g} at {index}: {actual[index]} and {expected[index]}"
            f" ({np.count_nonzero(error > limit)} of {error.size} differ by more than {limit:.3g})")


def _place(flat, shape):
    """Return a flat place as a tuple of plain integers."""
    return tuple(int(i) for i in np.unravel_index(flat, shape))


def _is_number(value):
    """Whether a table's cell is a number or left empty."""
    return value is None or isinstance(value, int | float | np.number) and not isinstance(value, bool)


def _cell(value):
    """Write one cell of a table."""
    if value is None:
        return "–"
    if isinstance(value, bool | np.bool_):
        return "yes" if value else "no"
    if isinstance(value, int | np.integer):
        return f"{value:,}".replace("-", "−")
    if isinstance(value, float | np.floating):
        return f"{value:.4g}".replace("-", "−")
    return str(value)
