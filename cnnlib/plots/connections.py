"""A layer as wires: which inputs each output reads, and which wires carry the same weight."""

import numpy as np

from cnnlib.geometry import as_int, output_size
from cnnlib.plots._style import COLOURS, new_axes, styled

_HEIGHT = 2.0  # between the two rows of units, in units of their distance
_THIN, _BOLD = 0.8, 3.0  # line widths


@styled
def plot_connections(num_inputs, kernel_size, ax=None, *, dense=False, input=None, output=None, tap=None,
                     title=None):
    """Draw a layer on a row of inputs as wires, and make those of one unit or of one weight stand out.

    Parameters
    ----------
    num_inputs : int
    kernel_size : int
        How many neighbouring inputs an output reads; there are as many outputs as windows fit.
    ax : matplotlib Axes, optional
    dense : bool
        Wire every input to every output instead: a fully connected layer of the same size.
    input, output : int, optional
        Make the wires of this input (seen from below) or of this output (seen from above) stand out.
    tap : int, optional
        Make every wire that carries this one of the filter's weights stand out. In a dense layer a weight
        belongs to one wire: that from input `tap` to output 0.
    title : str, optional

    Returns
    -------
    matplotlib Axes

    Raises
    ------
    ValueError
        The filter does not fit, a unit or weight is not there, or more than one of the three is asked for.

    Examples
    --------
    >>> ax = plot_connections(6, 3, input=2)
    >>> sum(line.get_linewidth() > 2 for line in ax.lines)
    3
    """
    num_outputs = output_size(num_inputs, kernel_size)
    asked = {"input": (input, num_inputs), "output": (output, num_outputs),
             "tap": (tap, num_inputs if dense else kernel_size)}
    asked = {name: pair for name, pair in asked.items() if pair[0] is not None}
    if len(asked) > 1:
        raise ValueError(f"choose one of {' and '.join(f'`{name}`' for name in asked)}")
    for name, (value, count) in asked.items():
        if as_int(name, value, 0) >= count:
            raise ValueError(f"`{name}` is {value}; there are {count}, counted from 0")
    wires = [(i, o) for o in range(num_outputs) for i in range(num_inputs)
             if dense or o <= i < o + kernel_size]
    bold = {(i, o) for i, o in wires if _stands_out(i, o, dense, input, output, tap)}
    ax = new_axes(ax, 4.2, 2.3)
    shift = (num_inputs - num_outputs) / 2  # centres the outputs over the inputs
    for i, o in sorted(wires, key=lambda wire: wire in bold):
        ax.plot((i, o + shift), (0, _HEIGHT), color=COLOURS["weight" if (i, o) in bold else "charcoal"],
                linewidth=_BOLD if (i, o) in bold else _THIN, alpha=1 if (i, o) in bold else 0.4, zorder=1)
    _units(ax, np.arange(num_inputs), 0, {i for i, _ in bold}, "input")
    _units(ax, np.arange(num_outputs) + shift, _HEIGHT, {o for _, o in bold}, "output")
    ax.text(-0.75, 0, "input", ha="right", va="center")
    ax.text(-0.75, _HEIGHT, "output", ha="right", va="center")
    ax.set(xlim=(-2.1, num_inputs - 0.5), ylim=(-0.45, _HEIGHT + 0.45), aspect="equal")
    ax.set_axis_off()
    if title:
        ax.set_title(title, loc="center")
    return ax


def _stands_out(i, o, dense, input, output, tap):
    """Whether the wire from input `i` to output `o` is of the unit or weight asked for."""
    if tap is not None:
        return (i, o) == (tap, 0) if dense else i - o == tap
    return i == input or o == output


def _units(ax, x, y, bold, role):
    """Draw one row of units; those in `bold` are filled."""
    for k, position in enumerate(x):
        ax.plot(position, y, "o", markersize=17, markeredgecolor=COLOURS[role], markeredgewidth=2,
                markerfacecolor=COLOURS[role if k in bold else "paper"], linewidth=0, zorder=2)
