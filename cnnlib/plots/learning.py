"""Learning curves: what a run has been through, loss on the left and accuracy on the right."""

import numpy as np
from matplotlib import pyplot as plt
from matplotlib.ticker import FuncFormatter, MaxNLocator, NullFormatter, PercentFormatter

from cnnlib.plots._style import COLOURS, styled

TRAIN, VALID = dict(color=COLOURS["input"]), dict(color=COLOURS["output"], linestyle="--", marker="o", markersize=4)


@styled
def plot_learning(history, axes=None, *, epochs=None, title=None):
    """Draw the losses of a run on a logarithmic axis, step by step and epoch by epoch, and its accuracies.

    Parameters
    ----------
    history : training.History, or anything with its lists as attributes
        ``step_loss`` gives the faint line, ``train_loss`` and ``valid_loss`` the others; what is None is left out.
    axes : two matplotlib Axes, optional
    epochs : int, optional
        Where the horizontal axis ends, for a run that is not over; without, where the run ended.
    title : str, optional

    Returns
    -------
    array of two matplotlib Axes

    Examples
    --------
    >>> from cnnlib.training import History
    >>> history = History(step_loss=[2.3, 1.2])
    >>> history.add(epoch=1, step=2, train_loss=1.75, train_accuracy=0.4)
    >>> [ax.get_ylabel() for ax in plot_learning(history)]
    ['loss', 'accuracy']
    """
    if not history.step_loss:
        raise ValueError("`history` holds no step: there is nothing to draw")
    axes = plt.subplots(1, 2, figsize=(9.3, 3.4))[1] if axes is None else np.ravel(axes)
    per_epoch = history.step[0] if history.step else len(history.step_loss)
    steps = np.arange(1, len(history.step_loss) + 1) / per_epoch
    axes[0].plot(steps, _numbers(history.step_loss), color=COLOURS["faint"], linewidth=1, label="each step")
    for ax, quantity in zip(axes, ("loss", "accuracy")):
        for word, style, part in (("training", TRAIN, "train"), ("validation", VALID, "valid")):
            values = _numbers(getattr(history, f"{part}_{quantity}"))
            if np.isfinite(values).any():
                ax.plot(history.epoch, values, label=word, **style)
        ax.set(xlabel="epoch", ylabel=quantity, xlim=(0, epochs or max(1, steps[-1])))
        ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes[0].set_yscale("log")
    axes[0].yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes[0].yaxis.set_minor_formatter(NullFormatter())
    axes[0].legend(loc="best")
    axes[1].set_ylim(0, 1)
    axes[1].yaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    axes[1].grid(axis="y")
    if title:
        axes[0].set_title(title, loc="left")
    return np.asarray(axes)


def _numbers(values):
    """Return the list as floats, NaN where it has None or what has no logarithm's place."""
    numbers = np.array([np.nan if value is None else value for value in values], dtype=float)
    return np.where(np.isfinite(numbers), numbers, np.nan)
