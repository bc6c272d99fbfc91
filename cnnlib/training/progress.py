"""What a callback is told about a run, and the callback that prints."""

import sys
from typing import NamedTuple

WIDTH = 24  # characters of the bar


class Progress(NamedTuple):
    """What a callback is handed: after each step, and once more when an epoch has ended and been measured."""

    epoch: int  # the one that is running, from 1
    epochs: int
    step: int  # steps taken so far, in all epochs
    batch: int  # steps taken in this epoch
    batches: int | None  # steps in an epoch; None where the data do not tell
    loss: float  # of the last step
    lr: float  # of the last step
    seconds: float  # since the start
    history: object  # History; after an epoch it holds that epoch too
    epoch_ended: bool


def text_bar(progress):
    """Print one line for each epoch; on a terminal, with a bar that grows from step to step.

    Parameters
    ----------
    progress : Progress
    """
    terminal = sys.stdout.isatty()
    if progress.epoch_ended:
        print(("\r" if terminal else "") + _epoch_line(progress) + ("\x1b[K" if terminal else ""), flush=True)
    elif terminal:
        done = progress.batch / progress.batches if progress.batches else 0
        bar = "█" * int(done * WIDTH)
        print(f"\r{_epoch(progress)}  {bar:·<{WIDTH}}  loss {progress.loss:.4f}", end="\x1b[K", flush=True)


def _epoch(progress):
    return f"epoch {progress.epoch:>{len(str(progress.epochs))}}/{progress.epochs}"


def _epoch_line(progress):
    """Return what an epoch came to, as one line."""
    row = progress.history.rows()[-1]
    parts = [_epoch(progress)]
    parts += [f"{name.replace('_', ' ')} {row[name]:.4f}" for name in ("train_loss", "valid_loss")
              if row[name] is not None]
    if row["valid_accuracy"] is not None:
        parts.append(f"valid accuracy {100 * row['valid_accuracy']:.2f} %")
    return "  ".join([*parts, f"lr {row['lr']:.3g}", f"{row['seconds']:.1f} s"])
