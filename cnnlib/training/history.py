"""What a run has been through: plain lists, one entry for each epoch, that a table, a file or a plot can take."""

import csv
from dataclasses import dataclass, field, fields
from pathlib import Path

WHOLE = ("epoch", "step")  # columns of whole numbers


@dataclass(repr=False)
class History:
    """Lists with one entry for each epoch, and the loss of every single step.

    Attributes
    ----------
    epoch : list of int
        1, 2, ...
    step : list of int
        How many steps had been taken when the epoch ended.
    train_loss, train_accuracy : lists of float
        Means over the epoch's own steps, *while* the weights moved, in training mode and after augmentation.
        The accuracy is None where targets are no classes.
    valid_loss, valid_accuracy : lists of float, or of None where there were no data for it
        Measured when the epoch ended, in evaluation mode. Targets that the loss ignores are in no mean.
    lr : list of float
        The step size of the epoch's last step.
    seconds : list of float
        Since the start, over all runs that were resumed.
    step_loss : list of float
        The loss of every step. (Not in the CSV file.)
    stopped : str or None
        Why the run ended before its last epoch: in words, or None if it did not.

    Examples
    --------
    >>> history = History()
    >>> history.add(epoch=1, step=46, train_loss=0.75, valid_accuracy=0.9)
    >>> history
    History: 1 epoch, 46 steps; train_loss 0.7500, valid_accuracy 90.0 %
    """

    epoch: list = field(default_factory=list)
    step: list = field(default_factory=list)
    train_loss: list = field(default_factory=list)
    train_accuracy: list = field(default_factory=list)
    valid_loss: list = field(default_factory=list)
    valid_accuracy: list = field(default_factory=list)
    lr: list = field(default_factory=list)
    seconds: list = field(default_factory=list)
    step_loss: list = field(default_factory=list)
    stopped: str | None = None

    @classmethod
    def columns(cls):
        """Return the names of the lists with one entry an epoch."""
        return [entry.name for entry in fields(cls)][:-2]

    def add(self, **values):
        """Add an epoch: a value for each column; those not given are None."""
        unknown = [name for name in values if name not in self.columns()]
        if unknown:
            raise TypeError(f"History has no column {unknown[0]!r}; it has {', '.join(self.columns())}")
        for name in self.columns():
            getattr(self, name).append(values.get(name))

    def rows(self):
        """Return one dict for each epoch, by column."""
        return [dict(zip(self.columns(), row)) for row in zip(*(getattr(self, name) for name in self.columns()))]

    def to_csv(self, path):
        """Write the epochs as a table: comma separated, a header, every digit of every number."""
        with Path(path).open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, self.columns(), lineterminator="\n")
            writer.writeheader()
            writer.writerows({name: "" if value is None else value for name, value in row.items()}
                             for row in self.rows())

    @classmethod
    def from_csv(cls, path):
        """Read what :meth:`to_csv` wrote."""
        history = cls()
        with Path(path).open(newline="", encoding="utf-8") as file:
            reader = csv.DictReader(file)
            if reader.fieldnames != cls.columns():
                raise ValueError(f"{path} has the columns {reader.fieldnames}; a history has {cls.columns()}")
            for row in reader:
                history.add(**{name: None if value == "" else int(value) if name in WHOLE else float(value)
                               for name, value in row.items()})
        return history

    def __len__(self):
        return len(self.epoch)

    def __repr__(self):
        steps = len(self.step_loss) or (self.step[-1] if self.step else 0)
        text = f"History: {len(self)} epoch{'s' * (len(self) != 1)}, {steps} steps"
        last = self.rows()[-1] if len(self) else {}
        shown = [f"{name} {last[name]:.4f}" for name in ("train_loss", "valid_loss") if last.get(name) is not None]
        shown += [f"{name} {100 * last[name]:.1f} %" for name in ("valid_accuracy",) if last.get(name) is not None]
        return text + (f"; {', '.join(shown)}" if shown else "") + (f"; {self.stopped}" if self.stopped else "")
