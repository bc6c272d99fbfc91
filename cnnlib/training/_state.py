"""All that a run is, packed for a file; and a run brought back to it."""

from dataclasses import asdict

import numpy as np

from cnnlib.training import _checkpoint, _same_run, _watch
from cnnlib.training.history import History

PLAIN = ("epoch", "batch", "step", "lr", "warned")  # attributes of a run that are plain data


def packed(run):
    """Return all that the run is: arrays by name, and plain data."""
    arrays, optimizer = _checkpoint.packed_optimizer(run.optimizer)
    arrays |= {f"model/{name}": _checkpoint.stored(a) for name, a in run.engine.state().items()}
    history = asdict(run.history)
    arrays[_checkpoint.STEP_LOSS] = np.array(history.pop("step_loss"), dtype=np.float64)
    scaler, given = getattr(run.engine, "scaler", None), run.train.count is None
    return arrays, {name: getattr(run, name) for name in PLAIN} | {
        "asked": run.asked, "sums": run.sums.tolist(), "seconds": run.seconds(), "parts": run.parts.count,
        "history": history, "optimizer": optimizer, "generators": run.engine.generators(),
        "schedule": None if run.schedule is None else run.schedule.state_dict(),
        "scaler": None if scaler is None else scaler.state_dict(),
        "labels": run.labels[run.train].counts if given else None,
        "trace": run.train.trace.state() if given else None}


def load(run, arrays, about):
    """Bring a run to what :func:`packed` returned; an error, and nothing moved, if it is another run's."""
    _same_run.check(run.asked, about["asked"], run.checkpoint, about["optimizer"]["groups"])
    run.engine.load({name.removeprefix("model/"): a for name, a in arrays.items() if name.startswith("model/")})
    _checkpoint.load_optimizer(run.optimizer, arrays, about["optimizer"])
    if run.schedule is not None:
        run.schedule.load_state_dict(about["schedule"])
    if about["scaler"]:
        run.engine.scaler.load_state_dict(about["scaler"])
    run.engine.load_generators(about["generators"])
    run.history = History(**about["history"] | {"step_loss": arrays[_checkpoint.STEP_LOSS].tolist(), "stopped": None})
    for name in PLAIN:
        setattr(run, name, about[name])
    run.asked, run.sums, run.earlier = about["asked"], np.array(about["sums"]), about["seconds"]
    run.parts.count = about["parts"]
    if run.train.count is None:
        _load_iterable(run, about)


def _load_iterable(run, about):
    run.labels[run.train].counts = about["labels"]
    run.train.trace.load(about["trace"])
    if not run.batch and not run.train.trace.is_known():
        _watch.warn(f"`train` is a {type(run.train.iterable).__name__}: whether it gives the batches of epoch "
                    f"{run.epoch + 1}, or again those of the first, cannot be seen from here")
