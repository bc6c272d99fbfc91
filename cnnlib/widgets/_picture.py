"""Figures as small PNG files, and the plain figure of a few arrays side by side."""

import io

LIMIT = 40_000  # bytes
DPI = 90
GRID = 16  # rows and columns, at most, of an array that is drawn as numbers


def png(figure):
    """Return a matplotlib figure as PNG bytes, with fewer colours where it would be over 40 kB; closes it."""
    from matplotlib import pyplot as plt
    from PIL import Image

    file = io.BytesIO()
    figure.savefig(file, format="png", dpi=DPI, bbox_inches="tight", metadata={"Software": None})
    plt.close(figure)
    return packed(Image.open(file))


def packed(picture):
    """Return a picture of PIL's as PNG bytes, with fewer colours, then smaller, where it would be over 40 kB."""
    from cnnlib.plots._palette import reduced

    picture = picture.convert("RGB")
    for scale in (1, 0.67, 0.5):
        smaller = picture if scale == 1 else picture.resize((int(picture.width * scale), int(picture.height * scale)))
        for colours in (128, 64, 32, 16):
            file = io.BytesIO()
            reduced(smaller, colours).save(file, "PNG", optimize=True)
            if file.tell() <= LIMIT:
                return file.getvalue()
    return file.getvalue()


def panel_figure(panels, words):
    """Return a figure of arrays side by side with a sentence below.

    Parameters
    ----------
    panels : sequence of (array of shape (H, W), title, role)
        Up to 16×16 drawn as numbers, larger ones and those in colour, (H, W, 3), as pictures. An array of NaN alone
        is drawn as question marks: an answer that is not yet shown.
    words : str
    """
    import textwrap

    import numpy as np
    from matplotlib import pyplot as plt

    from cnnlib import plots

    with plt.style.context(plots.STYLE):
        figure, axes = plt.subplots(1, len(panels), figsize=(3.1 * len(panels), 3.6), layout="none")
        figure.subplots_adjust(0.02, 0.2, 0.98, 0.92)
        for ax, (array, title, role) in zip(np.ravel(axes), panels):
            hidden = np.isnan(array).all()
            array = np.zeros_like(array) if hidden else array
            if array.ndim == 3 or max(array.shape) > GRID:
                plots.plot_image(array, ax, title=title, limits=(-1, 1) if hidden else None)
                continue
            plots.plot_grid(array, ax, role=role, title=title)
            for text in ax.texts if hidden else ():
                text.set_text("?")
        figure.text(0.02, 0.12, textwrap.fill(words, 42 * len(panels)), va="top", size=10)
    return figure
