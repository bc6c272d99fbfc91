"""The training loop: epochs of steps, for our engine and for torch's."""

import time
from dataclasses import asdict
from pathlib import Path

import numpy as np

from cnnlib.geometry import as_int
from cnnlib.training import _checkpoint, _watch
from cnnlib.training._batches import as_data, num_correct
from cnnlib.training._engines import engine_for
from cnnlib.training._interrupt import Interrupt
from cnnlib.training._parts import Parts, obstacles
from cnnlib.training._processes import processes
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
        torch; brought batch by batch to where the model is, in its dtype.
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
        draws, and what dropout draws. The first weights are the model's own.
    loss : callable, optional
        Cross-entropy without. For ours a layer of cnnlib.layers with a backward.
    schedule : schedule, or function of (optimizer, number of steps in all), optional
        Stepped after each step: ``schedule=optim.CosineAnnealingLR`` falls to zero at the end.
    augment : function of (x, rng), optional
        Returns other pictures of the same classes; called on each batch.
    callback : function of :class:`Progress`, optional
        Called after each step, and once more after each epoch. None is silent.
    mixed_precision : bool
        For a torch.nn.Module on a GPU: multiply in bfloat16 where the GPU has it, else in float16.
    split_batches : {"auto", True, False}
        Where memory runs out, do each step in two, four, ... parts whose gradients add up. "auto" raises an error
        where that is another computation (batch norm, dropout, weighted losses); True accepts it.
    checkpoint : path, optional
        A file for everything the run is, written after each epoch and on Ctrl-C. An existing one is an error unless
        `resume`.
    checkpoint_every : int, optional
        Write it also every so many steps.
    resume : bool
        Go on from the checkpoint, if it is there, as if nothing had happened: on a CPU to the last bit.

    Returns
    -------
    History

    Raises
    ------
    ValueError, TypeError
        Before the first step: data that do not fit each other or the model, labels out of range, an optimiser of other
        parameters, a checkpoint of another run.
    MemoryError
        Memory runs out, and parts would be another computation.

    Warns
    -----
    TrainingWarning
        The loss is not finite (training ends before the weights are touched); after an epoch answers are at chance;
        several processes train layers that one would train differently.

    Notes
    -----
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
        for data in (self.train, self.valid):
            if hasattr(data, "first"):
                _watch.check_labels(self.engine, data.name, *data.first())
        if self.engine.reduction() == "none":
            raise ValueError("`loss` has reduction='none'; training needs one number: 'mean' or 'sum'")
        if split_batches not in ("auto", True, False):
            raise ValueError(f"`split_batches` is {split_batches!r}; it must be 'auto', True or False")
        self.schedule = self._scheduled(schedule)
        self.augment, self.callback = augment, callback or (lambda progress: None)
        self.checkpoint = None if checkpoint is None else Path(checkpoint)
        self.every = None if checkpoint_every is None else as_int("checkpoint_every", checkpoint_every, 1)
        self.engine.give_generators(self.seed)
        self.engine.set_training(True)
        self.parts = Parts(split_batches, self.engine, obstacles(self.engine))
        self.processes = processes()
        self.history, self.sums = History(), np.zeros(4)  # of the epoch: loss, samples, right answers, answers
        self.lr = None  # of the last step
        self.epoch, self.batch, self.step = 0, 0, 0  # epochs that ended, steps taken in this one, steps in all
        self.earlier, self.started, self.warned = 0.0, time.perf_counter(), False

    def _scheduled(self, schedule):
        """Return the schedule, or the one that a function makes."""
        if schedule is None or hasattr(schedule, "step") and not isinstance(schedule, type):
            if schedule is not None and getattr(schedule, "optimizer", self.optimizer) is not self.optimizer:
                raise ValueError("`schedule` steers another optimiser than `optimizer`")
            return schedule
        if not len(self.train):
            raise ValueError("`schedule` is a function of the number of steps, and `train` does not tell its length: "
                             "give a schedule that is made, or data with len()")
        return schedule(self.optimizer, max(1, self.epochs * len(self.train)))

    def begin(self, resume):
        """Agree on the first weights with the other processes; go on from a checkpoint if asked."""
        if self.processes.count > 1 and self.parts.obstacles:
            _watch.warn(f"{self.processes.count} processes train {', '.join(self.parts.obstacles)}: each sees its own "
                        "rows only, so the result is not that of one process")
        if self.checkpoint is not None:
            if not self.checkpoint.parent.is_dir():
                raise ValueError(f"`checkpoint` is {str(self.checkpoint)!r}, and there is no folder "
                                 f"{str(self.checkpoint.parent)!r}")
            if self.checkpoint.exists() and not resume:
                raise FileExistsError(f"`checkpoint` {self.checkpoint} exists: resume=True goes on from it, another "
                                      "name begins anew")
            if self.checkpoint.exists():
                self.load()
            if self.processes.number == 0:
                _checkpoint.clear_leftovers(self.checkpoint)
        elif resume:
            raise ValueError("`resume` needs the `checkpoint` to go on from")
        self.processes.begin_alike(self.engine)

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
        if self.train.count is None and self.step == 0:
            _watch.check_labels(self.engine, "step 1 of train", x[:1], y)
        self.engine.zero_grad()
        x, y = self.engine.arrays(self.processes.share(x), self.processes.share(y))

        def learn(x, y):
            loss, out = self.engine.learn(x, y, 1.0 if self.engine.reduction() == "sum" else len(x) / count)
            right, answers = num_correct(out[0] if isinstance(out, tuple) else out, y)
            return np.array([loss, float(right), answers])

        found = sum(self.parts.each(learn, x, y, undo=self.engine.zero_grad), np.zeros(3)) if len(x) else np.zeros(3)
        loss, right, answers = self.processes.added(found)
        if not np.isfinite(loss):
            message = _watch.not_finite(self.engine, x, y, loss, self.step + 1, self.epoch + 1, self.lr)
            _watch.warn(message)
            self.stop(message)
            return False
        self.processes.add_gradients(self.engine)
        self.engine.step(self.optimizer)
        if self.schedule is not None:
            self.schedule.step()
        self.step, self.batch = self.step + 1, self.batch + 1
        self.sums += (loss * (1 if self.engine.reduction() == "sum" else count), count, right, answers)
        self.history.step_loss.append(float(loss))
        return True

    def end_epoch(self):
        """Measure, write down, tell, keep."""
        loss, count, right, answers = self.sums
        valid_loss = valid_accuracy = None
        if self.valid is not None:
            valid_loss, valid_accuracy, _ = measure_all(self.engine, self.valid, self.processes)
        accuracy = right / answers if answers else None
        self.epoch, self.batch, self.sums = self.epoch + 1, 0, np.zeros(4)
        self.history.add(epoch=self.epoch, step=self.step, train_loss=float(loss / count),
                         train_accuracy=None if accuracy is None else float(accuracy), valid_loss=valid_loss,
                         valid_accuracy=valid_accuracy, lr=self.lr, seconds=self.seconds())
        data, accuracy = (self.train, accuracy) if valid_accuracy is None else (self.valid, valid_accuracy)
        if not self.warned and accuracy is not None and data.count and self.step >= _watch.FEWEST_STEPS:
            self.warned = True
            _watch.check_chance(data, accuracy, self.epoch)
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

    def settings(self):
        """Return what must be the same for a run to go on."""
        return {"seed": self.seed, "batch_size": self.train.batch_size, "samples": self.train.count}

    def save(self):
        """Write the checkpoint, if one is wanted and this is the process that writes."""
        if self.checkpoint is None or self.processes.number:
            return
        arrays, optimizer = _checkpoint.packed_optimizer(self.optimizer)
        arrays |= {f"model/{name}": _checkpoint.stored(a) for name, a in self.engine.state().items()}
        history = asdict(self.history)
        arrays[_checkpoint.STEP_LOSS] = np.array(history.pop("step_loss"), dtype=np.float64)
        scaler = getattr(self.engine, "scaler", None)
        _checkpoint.write(self.checkpoint, arrays, {
            "settings": self.settings(), "epoch": self.epoch, "batch": self.batch, "step": self.step, "lr": self.lr,
            "sums": self.sums.tolist(), "seconds": self.seconds(), "warned": self.warned, "parts": self.parts.count,
            "history": history, "optimizer": optimizer, "generators": self.engine.generators(),
            "schedule": None if self.schedule is None else self.schedule.state_dict(),
            "scaler": None if scaler is None else scaler.state_dict()})

    def load(self):
        """Go back to where the checkpoint was written."""
        arrays, about = _checkpoint.read(self.checkpoint)
        for name, value in self.settings().items():
            if about["settings"][name] != value:
                raise ValueError(f"`{name}` is {value}; the checkpoint {self.checkpoint} was written with "
                                 f"{about['settings'][name]}")
        self.engine.load({name.removeprefix("model/"): a for name, a in arrays.items() if name.startswith("model/")})
        _checkpoint.load_optimizer(self.optimizer, arrays, about["optimizer"])
        if self.schedule is not None:
            self.schedule.load_state_dict(about["schedule"])
        if about["scaler"]:
            self.engine.scaler.load_state_dict(about["scaler"])
        self.engine.load_generators(about["generators"])
        self.history = History(**about["history"] | {"step_loss": arrays[_checkpoint.STEP_LOSS].tolist()})
        self.history.stopped = None
        self.epoch, self.batch, self.step, self.lr = (about[word] for word in ("epoch", "batch", "step", "lr"))
        self.sums, self.warned, self.earlier = np.array(about["sums"]), about["warned"], about["seconds"]
        self.parts.count = about["parts"]


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
