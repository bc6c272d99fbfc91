"""The training loop: epochs of steps, for our engine and for torch's."""

import time
from pathlib import Path

import numpy as np

from cnnlib.geometry import as_int
from cnnlib.training import _checkpoint, _on_device, _same_run, _state, _watch
from cnnlib.training._batches import as_data
from cnnlib.training._counted import mass, num_correct
from cnnlib.training._engines import engine_for
from cnnlib.training._interrupt import Interrupt
from cnnlib.training._parts import Parts, obstacles
from cnnlib.training._processes import processes
from cnnlib.training._trace import Trace
from cnnlib.training.evaluate import BATCH, measure_all
from cnnlib.training.history import History
from cnnlib.training.progress import Progress, text_bar


def fit(model, train, valid=None, *, epochs, optimizer, batch_size=None, device="auto", seed=0, loss=None,
        schedule=None, augment=None, callback=text_bar, mixed_precision=False, split_batches="auto", checkpoint=None,
        checkpoint_every=None, resume=False):
    """Train a net, in place, and return what it has been through. It comes back in evaluation mode.

    Parameters
    ----------
    model : net of cnnlib.layers, or torch.nn.Module
    train : (x, y), or iterable of such batches
        x: array of shape (N, ...), float; y: array of shape (N,), the classes, or whatever `loss` takes. NumPy or
        torch; brought to where the model is, in its dtype: batch by batch, or all at once where that is a CUDA device
        with room for them, and then picked and augmented there (see the notes).
    valid : the same, optional
        Measured after each epoch, not learnt from.
    epochs : int
    optimizer : optimiser of cnnlib.optim or torch.optim, made for the model's parameters
    batch_size : int
        Samples in a step, over all processes; for arrays only.
    device : str
        Where to train: "auto" is, for a torch.nn.Module, the GPU if there is one, and for ours where its weights are;
        else as ``model.to(device)``.
    seed : int
        Decides the order of the samples, by ``np.random.default_rng(seed)`` on every device alike, what `augment`
        draws, what dropout draws, and in what order a DataLoader without a generator of its own shuffles. The first
        weights are the model's own.
    loss : callable, optional
        Cross-entropy without. For ours a layer of cnnlib.layers with a backward. Class labels that are its
        ignore_index (-100 where it has none) count for nothing, neither in a mean nor as wrong answers.
    schedule : schedule, or function of (optimizer, number of steps in all), optional
        Stepped after each step: ``schedule=optim.CosineAnnealingLR`` falls to zero at the end.
    augment : function of (x, rng), optional
        Returns other pictures of the same classes; called on each batch. One for NumPy alone, or one that draws other
        than from `rng`, keeps the samples on the host; :func:`shift` and :func:`mirror` work anywhere.
    callback : function of :class:`Progress`, optional
        Called after each step, and once more after each epoch. None is silent.
    mixed_precision : bool
        For a torch.nn.Module on a GPU: multiply in bfloat16 where the GPU has it, else in float16.
    split_batches : {"auto", True, False}
        Where memory runs out, do each step in two, four, ... parts whose gradients add up. "auto" raises an error
        where that is another computation (batch norm, dropout, weights in a loss other than each class's); True
        accepts it.
    checkpoint : path, optional
        A file for everything the run is, written after each epoch and on Ctrl-C. An existing one is an error unless
        `resume`.
    checkpoint_every : int, optional
        Write it also every so many steps.
    resume : bool
        Go on from the checkpoint, if it is there, as if nothing had happened: on a CPU to the last bit. An iterable
        has to give its batches again in the same order, as a list does, or a DataLoader, for which torch's generators
        are put back to where they were.

    Returns
    -------
    History

    Raises
    ------
    ValueError, TypeError
        Before the first step: data that do not fit each other or the model, labels out of range, an optimiser of other
        parameters, something that a checkpoint cannot hold, a checkpoint of another run (seed, data, loss, optimiser or
        its settings, schedule). Of an iterable each batch is looked at before its step.
    MemoryError
        Memory runs out, and parts would be another computation.

    Warns
    -----
    TrainingWarning
        The loss is not finite (training ends before weights and running statistics are touched), or that of `valid`
        is not (training goes on); after the first epoch with 20 steps behind it answers are at chance; several
        processes train layers that one would train differently; a run goes on with an iterable of which nobody knows
        whether it begins its epochs as before.

    Notes
    -----
    Samples are brought to a CUDA device once, `train` before `valid`, if each takes no more than half of the memory
    that is free there, and if `augment` makes of the first two there, as tensors, what it makes of them on the host.
    The others, and an iterable's, go over batch by batch. Where memory runs out later, the samples give way first.

    Ctrl-C ends the run after the step that is running and returns what there is. Under ``torchrun`` (see
    ``cnnlib/train.py``) each process takes part of each batch; nets without batch norm and dropout come out as from
    one process.

    Examples
    --------
    >>> from cnnlib import layers, optim
    >>> rng = np.random.default_rng(0)
    >>> y = rng.integers(0, 3, 60)
    >>> x = np.eye(3, dtype="float32")[y].reshape(60, 3, 1, 1)
    >>> net = layers.Sequential(layers.Flatten(), layers.Linear(3, 3, rng=rng))
    >>> history = fit(net, (x, y), epochs=20, optimizer=optim.SGD(net.parameters(), lr=1.0), batch_size=20,
    ...               callback=None)
    >>> history.epoch[-1], history.train_accuracy[-1]
    (20, 1.0)
    """
    run = _Run(model, train, valid, epochs=epochs, optimizer=optimizer, batch_size=batch_size, device=device, seed=seed,
               loss=loss, schedule=schedule, augment=augment, callback=callback, mixed_precision=mixed_precision,
               split_batches=split_batches, checkpoint=checkpoint, checkpoint_every=checkpoint_every)
    with run.engine.own_randomness(run.seed), Interrupt() as run.interrupt:
        run.begin(resume)
        try:
            run.run()
        except KeyboardInterrupt:
            run.stop("interrupted")
    run.engine.set_training(False)
    return run.history


class _Run:
    """A run: what was asked for, checked, and how far it has come."""

    def __init__(self, model, train, valid, *, epochs, optimizer, batch_size, device, seed, loss, schedule, augment,
                 callback, mixed_precision, split_batches, checkpoint, checkpoint_every):
        self.epochs, self.seed = as_int("epochs", epochs, 0), as_int("seed", seed, 0)
        self.train = as_data("train", train, batch_size)
        self.valid = None if valid is None else as_data("valid", valid, BATCH if isinstance(valid, tuple) else None)
        for data in (self.train, self.valid):
            if hasattr(data, "check_repeatable"):
                data.check_repeatable(self.epochs)
        self.engine = engine_for(model, loss, device, mixed_precision)
        self.optimizer = _checked_optimizer(optimizer, self.engine)
        self.labels = {data: _watch.Labels(self.engine) for data in (self.train, self.valid) if data is not None}
        for data, labels in self.labels.items():
            if hasattr(data, "first"):
                labels.look(data.name, *data.first())
                if labels.counts is not None and not labels.counts.any():
                    raise ValueError(f"all labels of `{data.name}` are ignored: nothing counts")
        if self.engine.reduction() == "none":
            raise ValueError("`loss` has reduction='none'; training needs one number: 'mean' or 'sum'")
        if split_batches not in ("auto", True, False):
            raise ValueError(f"`split_batches` is {split_batches!r}; it must be 'auto', True or False")
        self.steps = max(1, self.epochs * len(self.train))
        self.schedule = self._scheduled(schedule)
        self.augment, self.callback = augment, callback or (lambda progress: None)
        self.checkpoint = None if checkpoint is None else Path(checkpoint)
        self.every = None if checkpoint_every is None else as_int("checkpoint_every", checkpoint_every, 1)
        self.engine.give_generators(self.seed)
        self.engine.set_training(True)
        self.parts = Parts(split_batches, self.engine, obstacles(self.engine), self.relieve)
        self.processes = processes()
        self.asked = None if checkpoint is None else _same_run.asked(self, schedule)
        if self.checkpoint is not None and self.train.count is None:
            self.train.trace = Trace(self.train.name, self.train.iterable)
        self.history, self.sums = History(), np.zeros(4)  # of the epoch: loss, samples, right answers, answers
        self.lr = None  # of the last step
        self.epoch, self.batch, self.step = 0, 0, 0  # epochs that ended, steps taken in this one, steps in all
        self.earlier, self.started, self.warned = 0.0, time.perf_counter(), []  # of what has been warned once

    def _scheduled(self, schedule):
        """Return the schedule, or the one that a function makes."""
        if schedule is None or hasattr(schedule, "step") and not isinstance(schedule, type):
            if schedule is not None and getattr(schedule, "optimizer", self.optimizer) is not self.optimizer:
                raise ValueError("`schedule` steers another optimiser than `optimizer`")
            return schedule
        if not len(self.train):
            raise ValueError("`schedule` is a function of the number of steps, and `train` does not tell its length: "
                             "give a schedule that is made, or data with len()")
        return schedule(self.optimizer, self.steps)

    def begin(self, resume):
        """Agree on the first weights with the other processes; go on from a checkpoint if asked."""
        for data, augment in ((self.train, self.augment), (self.valid, None)):
            if data is not None:
                _on_device.bring(data, self.engine, augment)
        if self.processes.count > 1 and self.parts.obstacles:
            _watch.warn(f"{self.processes.count} processes train {', '.join(self.parts.obstacles)}: each sees its own "
                        "rows only, so the result is not that of one process")
        if self.checkpoint is not None:
            if not self.checkpoint.parent.is_dir():
                raise ValueError(f"`checkpoint` is {str(self.checkpoint)!r}, and there is no folder "
                                 f"{str(self.checkpoint.parent)!r}")
            _checkpoint.as_text(_state.packed(self)[1])  # what no file holds is said now, not after an epoch
            if self.checkpoint.exists() and not resume:
                raise FileExistsError(f"`checkpoint` {self.checkpoint} exists: resume=True goes on from it, another "
                                      "name begins anew")
            if self.checkpoint.exists():
                _state.load(self, *_checkpoint.read(self.checkpoint))
            if self.processes.number == 0:
                _checkpoint.clear_leftovers(self.checkpoint)
        elif resume:
            raise ValueError("`resume` needs the `checkpoint` to go on from")
        self.processes.begin_alike(self.engine)

    def relieve(self):
        """Leave the samples on the host from now on; return whether they were on the device."""
        there = [data for data in (self.train, self.valid) if getattr(data, "here", None) is not None]
        for data in there:
            data.here = None
        return bool(there)

    def run(self):
        """Take all steps."""
        order = np.random.default_rng(self.seed)
        for epoch in range(self.epochs):
            rows = None if self.train.count is None else order.permutation(self.train.count)
            if epoch < self.epoch:
                continue  # done before the checkpoint; its order was drawn all the same
            for x, y in self.train.batches(rows, skip=self.batch):
                self.lr = float(self.optimizer.param_groups[0]["lr"])
                if not self.take_step(x, y):
                    return
                self.tell()
                if self.interrupt.asked:
                    self.save()
                    self.stop("interrupted")
                    return
                if self.every and self.step % self.every == 0 and self.batch != len(self.train):
                    self.save()
            self.end_epoch()

    def take_step(self, x, y):
        """Learn from one batch; return whether its loss was finite: if not, no weight has moved."""
        if self.augment is not None:
            x = self.augment(x, np.random.default_rng([self.seed, 2, self.step]))
        count = len(x)
        if self.train.count is None:
            self.labels[self.train].look(f"step {self.step + 1} of train", x[:1], y)
        total, before, summed = mass(self.engine, y), self.engine.kept_buffers(), self.engine.reduction() == "sum"
        if not total and not summed:
            raise ValueError(f"all {len(y)} samples of step {self.step + 1} are ignored, or have weight 0: there is "
                             "nothing to learn from; a larger `batch_size`, or data without samples that do not count")
        self.engine.zero_grad()
        x, y = self.engine.arrays(self.processes.share(x), self.processes.share(y))

        def learn(x, y):
            part = total if len(x) == count else mass(self.engine, y)
            if total and not part:
                return np.zeros(3)  # all of this part is ignored: no loss, no gradient
            loss, out = self.engine.learn(x, y, 1.0 if summed else part / total)
            right, answers = num_correct(self.engine, out[0] if isinstance(out, tuple) else out, y)
            return np.array([loss, float(right), float(answers)])

        def undo():
            self.engine.zero_grad()
            self.engine.put_back(before)

        found = sum(self.parts.each(learn, x, y, undo=undo), np.zeros(3)) if len(x) else np.zeros(3)
        loss, right, answers = self.processes.added(found)
        if not np.isfinite(loss):
            message = _watch.not_finite(self.engine, self.parts, x, y, loss, self.step + 1, self.epoch + 1, self.lr)
            self.engine.put_back(before)
            _watch.warn(message)
            self.stop(message)
            return False
        self.processes.add_gradients(self.engine)
        self.engine.step(self.optimizer)
        if self.schedule is not None:
            self.schedule.step()
        self.step, self.batch = self.step + 1, self.batch + 1
        self.sums += (loss * (1 if summed else total), total, right, answers)
        self.history.step_loss.append(float(loss))
        return True

    def end_epoch(self):
        """Measure, write down, tell, keep."""
        loss, count, right, answers = self.sums
        valid_loss = valid_accuracy = None
        if self.valid is not None:
            labels = self.labels[self.valid]
            valid_loss, valid_accuracy, _ = measure_all(self.engine, self.valid, labels, self.processes)
        accuracy = right / answers if answers else None
        self.epoch, self.batch, self.sums = self.epoch + 1, 0, np.zeros(4)
        self.history.add(epoch=self.epoch, step=self.step, train_loss=float(loss / count),
                         train_accuracy=None if accuracy is None else float(accuracy), valid_loss=valid_loss,
                         valid_accuracy=valid_accuracy, lr=self.lr, seconds=self.seconds())
        data, accuracy = (self.train, accuracy) if valid_accuracy is None else (self.valid, valid_accuracy)
        if "chance" not in self.warned and accuracy is not None and self.step >= _watch.FEWEST_STEPS:
            self.warned.append("chance")
            _watch.check_chance(data.name, self.labels[data].counts, accuracy, self.epoch)
        if valid_loss is not None and "valid" not in self.warned and _watch.check_finite(
                self.valid.name, valid_loss, self.history.train_loss[-1], self.epoch):
            self.warned.append("valid")
        for data, labels in self.labels.items():
            labels.counts = labels.counts if data.count else None  # of an iterable, each epoch's own
        self.save()
        self.tell(epoch_ended=True)

    def tell(self, epoch_ended=False):
        if self.processes.number == 0:
            epoch = self.epoch if epoch_ended else self.epoch + 1
            batch = len(self.train) if epoch_ended else self.batch
            self.callback(Progress(epoch, self.epochs, self.step, batch, len(self.train) or None,
                                   self.history.step_loss[-1], self.lr, self.seconds(), self.history, epoch_ended))

    def stop(self, why):
        if why == "interrupted":
            why = f"interrupted in epoch {self.epoch + 1}, after step {self.step}"
        self.history.stopped = why

    def seconds(self):
        return self.earlier + time.perf_counter() - self.started

    def save(self):
        """Write the checkpoint, if one is wanted and this is the process that writes."""
        if self.checkpoint is not None and not self.processes.number:
            _checkpoint.write(self.checkpoint, *_state.packed(self))


def _checked_optimizer(optimizer, engine):
    """Return the optimiser, if it moves parameters of the model."""
    if not hasattr(optimizer, "param_groups") or not hasattr(optimizer, "step"):
        raise TypeError(f"`optimizer` is a {type(optimizer).__name__}; it must be an optimiser, such as "
                        "optim.SGD(model.parameters(), lr=0.1)")
    own = {id(parameter) for parameter in engine.parameters()}
    given = [parameter for group in optimizer.param_groups for parameter in group["params"]]
    strange = sum(id(parameter) not in own for parameter in given)
    if strange:
        raise ValueError(f"`optimizer` holds {strange} of {len(given)} parameters that are not the model's: make it "
                         "with model.parameters(), after the model")
    return optimizer
