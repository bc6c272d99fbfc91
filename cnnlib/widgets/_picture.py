"""Figures as small PNG files, and the plain figure of a few arrays side by side."""

import io

import numpy as np

from cnnlib import images

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


def grey_picture(image, largest):
    """Return a picture as a grey one of at most `largest` pixels a side, float64, and in words what was done to it.

    Parameters
    ----------
    image : array of shape (H, W), (H, W, 3) or (H, W, 4)
        A pixel that is NaN stays NaN, and makes those of the smaller picture NaN that it is in.
    largest : int
    """
    image = np.asarray(image, np.float64)
    given = image.shape
    if image.ndim == 3 and given[2] in (3, 4):
        image = images.to_grey(image[..., :3])
    if image.ndim != 2 or not image.size:
        raise ValueError(f"`image` has shape {given}; it must be (H, W), or (H, W, 3) for colours")
    if max(given[:2]) > largest:
        image = _reduced(image, smaller(given[:2], largest))
    return image, told(given, image.shape)


def smaller(size, largest, least=1):
    """Return the size (rows, cols) with its longer side made `largest` pixels, none less than `least`."""
    return tuple(max(least, round(n * largest / max(size))) for n in size)


def told(given, shown):
    """Say in words what was done to a picture of the shape `given` until it had the shape `shown`; "" if nothing."""
    words = ["turned to grey" + ", transparency left out" * (given[2] == 4)] if len(given) == 3 else []
    words += [f"reduced from {given[0]}×{given[1]} pixels"] if tuple(given[:2]) != tuple(shown) else []
    return f"{words[0][0].upper()}{'; '.join(words)[1:]}." if words else ""


def _reduced(image, size):
    """Resize; a new pixel is NaN where one of the old ones in it is not finite."""
    missing = ~np.isfinite(image)
    if not missing.any():
        return images.resize(image, size)
    small = images.resize(np.where(missing, 0, image), size)
    small[np.abs(images.resize(missing.astype(np.float64), size)) > 1e-9] = np.nan
    return small
