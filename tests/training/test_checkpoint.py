"""A run that is cut off and goes on ends where one that was not cut off ends: to the last bit, whoever killed it."""

import json
import os
import signal
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import numpy as np
import pytest
from trainees import (
    Stop,
    assert_same_weights,
    needs_torch,
    noisy,
    ours,
    samples,
    sgd,
    theirs,
    torch_sgd,
    weights,
)

from cnnlib import optim, training
from cnnlib.training import _checkpoint

pytestmark = pytest.mark.usefixtures("ctrl_c_is_heard")
HERE = Path(__file__).resolve()
STEPS = 9  # in an epoch
EPOCHS = 4


def started(engine, path, seed=0, **changes):
    """Return (net, settings of fit) of a run that uses everything there is to be remembered."""
    if engine == "torch":
        import torch

        net = theirs(noisy)
        optimizer, schedule = torch_sgd(net), torch.optim.lr_scheduler.CosineAnnealingLR
    elif engine == "adam":
        net = ours(noisy)
        optimizer = optim.AdamW(net.parameters(), lr=0.01)
        schedule = lambda optimizer, steps: optim.OneCycleLR(optimizer, 0.02, steps)  # noqa: E731
    elif engine == "torch-milestones":
        import torch

        net, rates = theirs(noisy), torch.optim.lr_scheduler
        optimizer = torch_sgd(net)
        schedule = lambda optimizer, steps: rates.SequentialLR(  # noqa: E731
            optimizer, [rates.LinearLR(optimizer, 0.1, 1.0, 4), rates.MultiStepLR(optimizer, [8, 9, 25])], [4])
    elif engine == "torch-adam":
        import torch

        net = theirs(noisy)
        optimizer = torch.optim.Adam(net.parameters(), lr=0.01, amsgrad=True)
        schedule = lambda optimizer, steps: torch.optim.lr_scheduler.StepLR(optimizer, 5)  # noqa: E731
    else:
        net = ours(noisy)
        optimizer, schedule = sgd(net, weight_decay=1e-3), optim.CosineAnnealingLR
    settings = dict(epochs=EPOCHS, optimizer=optimizer, batch_size=16, seed=seed, schedule=schedule, device="auto",
                    augment=lambda x, rng: training.shift(x, 1, rng=rng), callback=None, checkpoint=path)
    return net, settings | changes


def train(engine, path, **changes):
    net, settings = started(engine, path, **changes)
    return net, training.fit(net, samples(130), samples(20, seed=2), **settings)


ENGINES = ["numpy", "adam", *(pytest.param(name, marks=needs_torch)
                              for name in ("torch", "torch-adam", "torch-milestones"))]


@pytest.mark.parametrize("step", [STEPS, STEPS + 4, 2 * STEPS - 1])
@pytest.mark.parametrize("engine", ENGINES)
def test_goes_on_to_the_last_bit(engine, step, tmp_path):
    """Cut at the end of an epoch, amid one, one step before its end; dropout, batch norm, schedule, augmentation."""
    whole, expected = train(engine, None)
    _, history = train(engine, tmp_path / "run.npz", callback=Stop(step))
    assert history.stopped == f"interrupted in epoch {1 + (step - 1) // STEPS}, after step {step}"
    assert len(history.step_loss) == step
    net, history = train(engine, tmp_path / "run.npz", resume=True)
    assert_same_weights(net, whole)
    assert history.step_loss == expected.step_loss and history.stopped is None
    for name in training.History.columns():
        if name != "seconds":
            assert getattr(history, name) == getattr(expected, name), name
    assert history.seconds == sorted(history.seconds)


def in_a_process(engine, path, body="", wait=True):
    """Run the training in a fresh process, after some lines that make trouble."""
    script = (f"import sys; sys.path[:0] = [{str(HERE.parent)!r}, {str(HERE.parents[1])!r}]\n{body}\n"
              f"from test_checkpoint import train\n"
              f"train({engine!r}, {str(path)!r}, checkpoint_every=1, resume=True)")
    process = subprocess.Popen([sys.executable, "-W", "error", "-c", script], cwd=HERE.parents[2])
    return process.wait() if wait else process


KILLED_AT_FSYNC = """
import os, signal
calls, fsync = [], os.fsync
def kill(handle):
    calls.append(handle)
    if len(calls) == 2 * {saves} + 1:  # each save flushes the file, then the folder
        os.ftruncate(handle, 1000)  # and what was written of the new file is half a file
        os.kill(os.getpid(), signal.SIGKILL)
    fsync(handle)
os.fsync = kill
"""


@pytest.mark.parametrize("engine", ["numpy", pytest.param("torch", marks=[needs_torch, pytest.mark.slow])])
def test_killed_while_it_saves(engine, tmp_path):
    """kill -9 amid the 14th save: the 13th is whole, and a fresh process ends as if nothing had happened."""
    path = tmp_path / "run.npz"
    assert in_a_process(engine, path, KILLED_AT_FSYNC.format(saves=13)) == -signal.SIGKILL
    assert _checkpoint.read(path)[1]["step"] == 13
    assert len(list(tmp_path.glob(".run.npz.*.tmp"))) == 1  # the half one
    assert in_a_process(engine, path) == 0
    whole, _ = train(engine, None)
    arrays, about = _checkpoint.read(path)
    assert about["step"] == EPOCHS * STEPS
    for name, value in weights(whole).items():
        np.testing.assert_array_equal(arrays[f"model/{name}"], value, err_msg=name)
    assert [file.name for file in tmp_path.iterdir()] == ["run.npz"]


@pytest.mark.slow
def test_killed_at_any_time(tmp_path):
    """kill -9 again and again, at moments that nobody chose, until a run comes to its end."""
    path, rng = tmp_path / "run.npz", np.random.default_rng(0)
    for _ in range(30):
        process = in_a_process("numpy", path, wait=False)
        time.sleep(0.4 + rng.random())
        process.kill()
        if process.wait() == 0:
            break
    assert in_a_process("numpy", path) == 0
    arrays, _ = _checkpoint.read(path)
    for name, value in weights(train("numpy", None)[0]).items():
        np.testing.assert_array_equal(arrays[f"model/{name}"], value, err_msg=name)


def test_a_save_that_fails_leaves_the_old_one(tmp_path, monkeypatch):
    path = tmp_path / "run.npz"
    _checkpoint.write(path, {"a": np.arange(3)}, {"n": 1})

    def full(handle):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        _checkpoint.write(path, {"a": np.arange(4)}, {"n": 2})
    arrays, about = _checkpoint.read(path)
    assert about["n"] == 1 and len(arrays["a"]) == 3
    assert [file.name for file in tmp_path.iterdir()] == ["run.npz"]


@pytest.mark.parametrize("engine", ["numpy", pytest.param("torch", marks=needs_torch)])
def test_the_file_is_arrays_and_json(engine, tmp_path):
    """Nothing in it is a pickle, so reading it executes nothing."""
    train(engine, tmp_path / "run.npz", epochs=1)
    with zipfile.ZipFile(tmp_path / "run.npz") as file:
        names = file.namelist()
        assert all(name.endswith(".npy") for name in names)
        for name in names:
            assert b"'descr': '|O'" not in file.read(name)[:200]
    arrays, about = _checkpoint.read(tmp_path / "run.npz")
    assert about["epoch"] == 1 and about["batch"] == 0 and json.dumps(about)
    assert {"model/conv.weight", "model/norm.running_mean", "optimizer/0/momentum_buffer",
            "history/step_loss"} <= set(arrays)


def test_a_pickle_is_refused(tmp_path):
    np.savez(tmp_path / "evil.npz", a=np.array([print], dtype=object), **{_checkpoint.ABOUT: np.zeros(2, "uint8")})
    with pytest.raises(ValueError, match="evil.npz is no checkpoint of cnnlib"):
        _checkpoint.read(tmp_path / "evil.npz")


def test_more_epochs_than_planned(tmp_path):
    """Without a schedule, two epochs and two more are four."""
    whole, _ = train("numpy", None, schedule=None)
    train("numpy", tmp_path / "run.npz", schedule=None, epochs=2)
    net, history = train("numpy", tmp_path / "run.npz", schedule=None, resume=True)
    assert_same_weights(net, whole)
    assert history.epoch == [1, 2, 3, 4]
    net, again = train("numpy", tmp_path / "run.npz", schedule=None, resume=True)  # it is over
    assert_same_weights(net, whole)
    assert again.step_loss == history.step_loss


@pytest.mark.parametrize("change, error, words", [
    (dict(), FileExistsError, r"run.npz exists: resume=True goes on from it"),
    (dict(resume=True, seed=1), ValueError, r"`seed` is 1; the checkpoint .*run.npz was written with 0"),
    (dict(resume=True, batch_size=8), ValueError, r"`batch_size` is 8; the checkpoint .* was written with 16"),
])
def test_another_run_is_refused(change, error, words, tmp_path):
    train("numpy", tmp_path / "run.npz", epochs=1)
    before = (tmp_path / "run.npz").read_bytes()
    with pytest.raises(error, match=words):
        train("numpy", tmp_path / "run.npz", **change)
    assert (tmp_path / "run.npz").read_bytes() == before


def test_another_optimiser_is_refused(tmp_path):
    train("numpy", tmp_path / "run.npz", epochs=1)
    with pytest.raises(ValueError, match=(
            r"`optimizer` is AdamW for 6 parameters; the checkpoint .*run.npz was written with SGD for 6 parameters")):
        train("adam", tmp_path / "run.npz", resume=True)


@pytest.mark.parametrize("content", [b"", b"no zip", b"PK\x03\x04 half"])
def test_what_is_no_checkpoint(content, tmp_path):
    (tmp_path / "run.npz").write_bytes(content)
    with pytest.raises(ValueError, match="run.npz is no checkpoint of cnnlib"):
        train("numpy", tmp_path / "run.npz", resume=True)


def test_resume_without_a_file_begins(tmp_path):
    net, history = train("numpy", tmp_path / "run.npz", resume=True)
    assert_same_weights(net, train("numpy", None)[0])


def test_ctrl_c_waits_for_the_step():
    """The step that is running is finished, its loss written down, and the signal's handler put back."""
    handler = signal.getsignal(signal.SIGINT)
    net, history = train("numpy", None, augment=lambda x, rng: (os.kill(os.getpid(), signal.SIGINT), x)[1])
    assert history.stopped == "interrupted in epoch 1, after step 1" and len(history.step_loss) == 1
    assert (weights(net)["fc.weight"] != weights(ours(noisy))["fc.weight"]).any()
    assert signal.getsignal(signal.SIGINT) is handler


def test_an_interrupt_from_within():
    """A KeyboardInterrupt that something raises ends the run with what there is, too."""
    def stop(progress):
        if progress.step == 12:
            raise KeyboardInterrupt

    _, history = train("numpy", None, callback=stop)
    assert len(history) == 1 and len(history.step_loss) == 12
    assert history.stopped == "interrupted in epoch 2, after step 12"
