"""Pictures and feature maps, with what black and white mean."""

import numpy as np
from matplotlib import pyplot as plt

from cnnlib.plots._style import WIDTH, decimals_for, new_axes, number_text, numbers, styled, text_width
from cnnlib.plots.grid import grey_limits


@styled
def plot_image(image, ax=None, *, title=None, limits=None):
    """Show a picture or a feature map in grey (colour pictures in colour).

    Parameters
    ----------
    image : array of shape (H, W) or (H, W, 3)
        Grey or colour in [0, 1]; a map of shape (H, W) may have any numbers. NumPy or torch.
    ax : matplotlib Axes, optional
    title : str, optional
    limits : (black, white), optional
        The numbers shown as black and as white. None: 0 and 1 for a picture; 0 and the largest for other
        numbers that are not negative; equal ends for signed ones, so that mid-grey is zero. Unless they are
        0 and 1, they are written under the picture.

    Returns
    -------
    matplotlib Axes

    Examples
    --------
    >>> ax = plot_image(np.array([[-1.0, 0.0], [0.5, 2.0]]))
    >>> ax.get_xlabel()
    'black −2 · mid-grey 0 · white 2'
    """
    image = numbers(image, "image", (2, 3))
    if image.ndim == 3 and image.shape[2] != 3:
        raise ValueError(f"`image` has shape {image.shape}, which is not (H, W) or (H, W, 3): "
                         "plot_maps shows maps of shape (C, H, W)")
    if image.ndim == 3 and (image.min() < 0 or image.max() > 1):
        raise ValueError(f"a colour picture must lie in [0, 1], not in [{image.min():g}, {image.max():g}]")
    limits = limits if limits is not None else grey_limits(image[np.isfinite(image)])
    legend = image.ndim == 2 and tuple(limits) != (0, 1)
    if ax is None:
        shrink = min(WIDTH * 0.55 / image.shape[1], 4 / image.shape[0])
        ax = new_axes(None, max(2.6, shrink * image.shape[1]) + 0.2,
                      shrink * image.shape[0] + 0.2 + 0.3 * bool(title) + 0.3 * legend)
    ax.imshow(image if image.ndim == 3 else image.astype(float), cmap="gray", vmin=limits[0], vmax=limits[1])
    ax.set(xticks=[], yticks=[])
    ax.spines[:].set_visible(False)
    if title:
        ax.set_title(title, loc="center")
    if legend:
        ax.set_xlabel(_legend(*limits, ax.get_window_extent().width / ax.figure.dpi))
    return ax


@styled
def plot_maps(maps, axes=None, titles=None, *, limits=None, columns=4):
    """Show feature maps side by side on one common scale, so that equal grey means equal number.

    Parameters
    ----------
    maps : array of shape (C, H, W), or a sequence of arrays of shape (H, W) or (H, W, 3)
        A sequence may mix sizes; each picture in it has its own scale unless `limits` is given.
    axes : sequence of matplotlib Axes, optional
    titles : sequence of str, optional
        None numbers the maps of one array.
    limits : (black, white), optional
    columns : int
        Most maps in a row.

    Returns
    -------
    array of matplotlib Axes, of shape (C,)

    Examples
    --------
    >>> [ax.get_title() for ax in plot_maps(np.zeros((2, 4, 4)))]
    ['map 0', 'map 1']
    """
    stacked = hasattr(maps, "shape")
    if stacked:
        maps = list(numbers(maps, "maps", 3))
    else:
        maps = [numbers(image, f"maps[{k}]", (2, 3)) for k, image in enumerate(maps)]
    if not maps:
        raise ValueError("`maps` is empty")
    if stacked:
        titles = titles if titles is not None else [f"map {k}" for k in range(len(maps))]
        together = np.concatenate([m.ravel() for m in maps])
        limits = limits if limits is not None else grey_limits(together[np.isfinite(together)])
    titles = [None] * len(maps) if titles is None else titles
    own = axes is None
    axes = _map_axes(maps, columns) if own else np.ravel(axes)
    if not len(axes) == len(titles) == len(maps):
        raise ValueError(f"{len(maps)} maps need as many axes and titles, not {len(axes)} and {len(titles)}")
    for ax, image, title in zip(axes, maps, titles):
        plot_image(image, ax, title=title, limits=limits)
    if own and limits is not None:  # one scale, said once
        for ax in axes:
            ax.set_xlabel("")
        if tuple(limits) != (0, 1):
            axes[0].figure.supxlabel(_legend(*limits, WIDTH), size=12)
    return np.asarray(axes)


def _map_axes(maps, columns):
    """Return one axes per map, in rows of at most `columns`; the figure fits the largest map."""
    columns = min(columns, len(maps))
    rows = -(-len(maps) // columns)
    side = min(3.2, WIDTH / columns)
    tall = max(m.shape[0] / m.shape[1] for m in maps)
    size = side * columns, rows * (side * tall + 0.4) + 0.3
    _, axes = plt.subplots(rows, columns, squeeze=False, figsize=size)
    for ax in axes.flat[len(maps):]:
        ax.remove()
    return axes.flat[:len(maps)]


def _legend(low, high, width):
    """Say what black, white and a mid-grey of zero mean: on one line, if it fits into `width` inches."""
    decimals = decimals_for(np.array([low, high]))
    ends = f"black {number_text(low, decimals)} · white {number_text(high, decimals)}"
    if low == -high:
        ends = ends.replace(" · ", " · mid-grey 0 · ")
    return ends if text_width(ends, 12) <= width else ends.replace(" · ", "\n")
