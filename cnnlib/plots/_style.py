"""What all figures share: the course's colours, ink that reads on them, numbers as text, new figures."""

import functools
from pathlib import Path

import matplotlib
import numpy as np
from matplotlib import pyplot as plt
from matplotlib.backends.backend_agg import RendererAgg
from matplotlib.colors import to_hex, to_rgb
from matplotlib.font_manager import FontProperties

from cnnlib import _array

STYLE = Path(__file__).parent.parent / "course.mplstyle"
WIDTH = 9.3  # inches; at the style's dpi what JupyterLab shows without shrinking
ROLES = ("input", "weight", "output", "gradient")

RC = matplotlib.rc_params_from_file(STYLE, use_default_template=False)
RC["figure.max_open_warning"] = 0  # a style file may not say this; notebook.show closes what it shows
_cycle = RC["axes.prop_cycle"].by_key()["color"]
COLOURS = {role: to_hex(colour) for role, colour in zip((*ROLES, "fifth", "sixth"), _cycle, strict=True)} | {
    "ink": to_hex(RC["text.color"]), "paper": to_hex(RC["figure.facecolor"]),
    "charcoal": to_hex(RC["axes.edgecolor"]), "faint": to_hex(RC["grid.color"]),
}


def styled(function):
    """Run a plotting function under the course's style, whatever style the reader has set."""
    @functools.wraps(function)
    def plot(*args, **kwargs):
        with matplotlib.rc_context(RC):
            return function(*args, **kwargs)
    return plot


def role_colour(role):
    """Return the colour of a quantity; ValueError names the roles there are."""
    if role not in ROLES:
        raise ValueError(f"`role` must be one of {', '.join(ROLES)}, not {role!r}")
    return COLOURS[role]


def numbers(array, name, ndim):
    """Return `array` (NumPy, torch or nested lists) as a NumPy array of numbers with `ndim` axes."""
    array = _array.to_numpy(array)
    allowed = (ndim,) if isinstance(ndim, int) else ndim
    if array.dtype.kind not in "buif":
        raise TypeError(f"`{name}` must hold real numbers, not {array.dtype}")
    if array.ndim not in allowed or array.size == 0:
        axes = " or ".join(map(str, allowed))
        raise ValueError(f"`{name}` has shape {array.shape}; it needs {axes} axes and a number at least")
    return array


def luminance(colour):
    """Return the relative luminance of a colour, 0 (black) to 1 (white), as WCAG 2 defines it."""
    rgb = np.asarray(to_rgb(colour))
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    return float(linear @ (0.2126, 0.7152, 0.0722))


def contrast(one, other):
    """Return the contrast ratio of two colours, 1 (the same) to 21, as WCAG 2 defines it."""
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def ink_on(fill):
    """Return the better of ink and paper for text on `fill`: never below a contrast of 4.5."""
    return max(COLOURS["ink"], COLOURS["paper"], key=lambda ink: contrast(ink, fill))


def tones(values, role, limit):
    """Colour signed numbers: zero is paper, +limit the role's colour, −limit charcoal. NaN is faint.

    Returns an array with one more axis, of the three parts of the colour.
    """
    share = np.clip(np.nan_to_num(values / limit)[..., None], -1, 1)
    colours = COLOURS["paper"], role_colour(role), COLOURS["charcoal"]
    paper, plus, minus = (np.array(to_rgb(colour)) for colour in colours)
    colours = paper + np.abs(share) * (np.where(share > 0, plus, minus) - paper)
    return np.where(np.isnan(values)[..., None], to_rgb(COLOURS["faint"]), colours)


def decimals_for(values):
    """Return how many decimals the numbers need: none beyond about four glyphs, none that are all zero."""
    finite = values[np.isfinite(values)]
    largest = np.abs(finite).max(initial=0)
    most = 2 if largest < 10 else 1 if largest < 100 else 0
    return next((d for d in range(most) if is_exact(finite, d)), most)


def is_exact(values, decimals):
    """Whether the numbers, written with that many decimals, are what they are (to 12 digits)."""
    return bool(np.allclose(values, np.round(values, decimals), rtol=1e-12, atol=1e-12))


def number_text(value, decimals):
    """Write a number with a true minus sign, never a negative zero."""
    if not np.isfinite(value):
        return {"nan": "NaN", "inf": "∞", "-inf": "−∞"}[str(float(value))]
    text = f"{value:.{decimals}f}"
    return text.removeprefix("-") if float(text) == 0 else text.replace("-", "−")


def text_width(text, size):
    """Return how wide one line of text of that font size is, in inches, as it is drawn at the style's dpi."""
    font = FontProperties(family=RC["font.family"], size=size)
    width, _, _ = _renderer().get_text_width_height_descent(text, font, ismath=False)
    return width / RC["figure.dpi"]


@functools.cache
def _renderer():
    """Return a canvas of one pixel that measures text."""
    return RendererAgg(1, 1, RC["figure.dpi"])


def times(shape):
    """Write a shape as people do, such as 3×32×32."""
    return "×".join(map(str, shape))


def wrap(text, width, size):
    """Break text into lines no wider than `width` inches at that font size. Line breaks in it stay."""
    lines = []
    for paragraph in text.split("\n"):
        line = ""
        for word in paragraph.split(" "):
            longer = f"{line} {word}" if line else word
            if line and text_width(longer, size) > width:
                lines.append(line)
                line = word
            else:
                line = longer
        lines.append(line)
    return lines


def new_axes(ax, width=None, height=None):
    """Return `ax`, or the axes of a new figure of that size in inches."""
    if ax is not None:
        return ax
    default = plt.rcParams["figure.figsize"]
    return plt.subplots(figsize=(width or default[0], height or default[1]))[1]


def fit_text(text, width, height):
    """Return the largest font size, 6 to 14 points, at which `text` fits a box of that size in inches."""
    needed = text_width(text, 10) / 10
    return float(np.clip(min(0.82 * width / needed, 0.5 * height * 72), 6, 14))
