"""Pictures of few colours, so that photographs do not fill a notebook; the course's own colours stay what they are."""

import numpy as np
from matplotlib.colors import to_rgb
from PIL import Image

from cnnlib.plots._style import COLOURS

KEPT = ("paper", "ink", "input", "weight", "output", "gradient")  # they mean something, and are often thin lines


def reduced(picture, colours):
    """Return a picture of PIL's with at most so many colours, each pixel in the nearest of them."""
    palette = _palette(picture, colours)
    small = np.array(picture.quantize(palette=palette, dither=Image.Dither.NONE))
    pixels = np.asarray(picture)
    for place, colour in enumerate(_kept()):  # Pillow's search for the nearest is rough: white became (253, 255, 255)
        small[(pixels == colour).all(-1)] = place
    result = Image.fromarray(small, "P")
    result.putpalette(palette.getpalette())
    return result


def _kept():
    """Return the course's colours as rows of three bytes."""
    return [[round(255 * share) for share in to_rgb(COLOURS[name])] for name in KEPT]


def _palette(picture, colours):
    """Return so many colours: the course's, then the commonest.

    Greys are chosen among greys, or else the edges of coloured lines would tint them.
    """
    kept = sum(_kept(), [])
    pixels = np.asarray(picture).reshape(1, -1, 3)
    coloured = np.ptp(pixels, axis=-1) > 16
    rest = colours - len(KEPT)
    for part, most in ((pixels[coloured], rest // 2), (pixels[~coloured], rest)):
        if len(part):
            common = Image.fromarray(part[None]).quantize(most - (len(kept) // 3 - len(KEPT)))
            kept += common.getpalette()[:3 * len(common.getcolors())]
    palette = Image.new("P", (1, 1))
    palette.putpalette(kept)
    return palette
