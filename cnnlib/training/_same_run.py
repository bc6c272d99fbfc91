"""What makes a run the one that a checkpoint was written by; whoever resumes another gets an error, not a mixture."""

import zlib

import numpy as np

from cnnlib import _array
from cnnlib._arguments import is_integer

ROWS = 16  # of x that are looked at: enough to tell two sets apart


def asked(run, schedule):
    """Return what was asked for, as plain data; `schedule` is fit's argument."""
    count = sum(len(group["params"]) for group in run.optimizer.param_groups)
    return {"seed": run.seed, "batch_size": run.train.batch_size, "samples": run.train.count,
            "model": _array.dtype_name(run.engine.example), "loss": _kind(run.engine.loss),
            "optimizer": f"{_kind(run.optimizer)} for {count} parameters", "schedule": _kind(run.schedule),
            "steps": run.steps if run.schedule is not None and run.schedule is not schedule else None,
            "data": None if run.train.count is None else _digest(run.train.x, run.train.y),
            "groups": [_settings(group) for group in run.optimizer.param_groups]}


def check(now, written, path, groups):
    """Refuse to go on if something else is asked for `now` than was `written`; `groups` as they were at the end.

    Raises
    ------
    ValueError
        It names the argument, both values and the file.
    """
    for name in ("seed", "batch_size", "samples", "model", "loss", "optimizer", "schedule"):
        if now[name] != written[name]:
            raise ValueError(f"`{name}` is {now[name]}; the checkpoint {path} was written with {written[name]}")
    if now["steps"] != written["steps"]:
        raise ValueError(f"`schedule` is made for {now['steps']} steps; the checkpoint {path} was written with one for "
                         f"{written['steps']}: the same `epochs`, or a schedule that is made already")
    if now["data"] != written["data"]:
        raise ValueError(f"`train` holds other targets or pictures than those that the checkpoint {path} was written "
                         "with")
    for number, (mine, theirs, last) in enumerate(zip(now["groups"], written["groups"], groups)):
        for name in mine:
            if name in theirs and mine[name] not in (theirs[name], last.get(name)):
                raise ValueError(f"`optimizer` has {name.removeprefix('initial_')}={mine[name]} in group {number}; the "
                                 f"checkpoint {path} was written with {theirs[name]}")


def _settings(group):
    """Return an optimiser's settings; of the rate, that from which a schedule starts."""
    moved = {"lr"} if "initial_lr" in group else set()
    return {name: value for name, value in group.items()
            if name not in moved and isinstance(value, (bool, int, float, str, tuple))}


def _digest(x, y):
    """Return a number that other targets, or other first rows of x, would hardly have."""
    y = np.ascontiguousarray(_array.to_numpy(y), dtype="int64" if is_integer(y) else "float32")
    x = np.ascontiguousarray(_array.to_numpy(x[:ROWS]), dtype="float32")
    return zlib.crc32(repr(x.shape).encode(), zlib.crc32(x, zlib.crc32(y)))


def _kind(value):
    return None if value is None else type(value).__name__
