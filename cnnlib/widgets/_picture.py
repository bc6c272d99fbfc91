"""Figures as small PNG files."""

import io

LIMIT = 40_000  # bytes
DPI = 90


def png(figure):
    """Return a matplotlib figure as PNG bytes, with fewer colours where it would be over 40 kB; closes it."""
    from matplotlib import pyplot as plt
    from PIL import Image

    file = io.BytesIO()
    figure.savefig(file, format="png", dpi=DPI, bbox_inches="tight", metadata={"Software": None})
    plt.close(figure)
    picture = Image.open(file).convert("RGB")
    for colours in (128, 64, 32, 16):
        file = io.BytesIO()
        picture.quantize(colours, dither=Image.Dither.NONE).save(file, "PNG", optimize=True)
        if file.tell() <= LIMIT:
            return file.getvalue()
    smaller = picture.resize((picture.width * 2 // 3, picture.height * 2 // 3))
    file = io.BytesIO()
    smaller.quantize(32, dither=Image.Dither.NONE).save(file, "PNG", optimize=True)
    return file.getvalue()
