"""Several processes under torchrun: two on the CPU give the weights of one; where they cannot, fit says so."""

import os
from pathlib import Path

import numpy as np
import pytest
from helpers import relative_error
from processes import torchrun
from trainees import noisy, ours, plain, samples, sgd, theirs, torch_sgd, weights

from cnnlib import training
from cnnlib.training import _checkpoint

torch = pytest.importorskip("torch")

HERE = Path(__file__).resolve()


def partly_ignored(x, y):
    return x, np.where(np.random.default_rng(len(y)).random(len(y)) < 1 / 3, -100, y)


def train(engine, name, path=None):
    """Train a net on 43 samples in batches of 16: the last batch has 11, an odd number, and 6 + 5 rows.

    A third of the labels is ignored, and no two processes have as many of them in a batch.
    """
    build = {"plain": plain, "noisy": noisy}[name]
    rank = int(os.environ.get("RANK", 0))
    make, optimizer = (ours, sgd) if engine == "numpy" else (theirs, torch_sgd)
    net = make(build, "float64", seed=rank)  # process 0's weights are everybody's
    (x, y), valid = (partly_ignored(*samples(count, "float64", seed)) for count, seed in ((43, 1), (21, 2)))
    history = training.fit(net, (x, y), valid, epochs=3, batch_size=16,
                           optimizer=optimizer(net), callback=None, device="auto", checkpoint=path,
                           augment=lambda x, rng: training.shift(x, 1, rng=rng))
    return net, history


CASES = ("torch", "plain"), ("numpy", "plain"), ("torch", "noisy")
SCRIPT = f"""
import sys; sys.path[:0] = [{str(HERE.parent)!r}]
import numpy as np, torch, warnings
from test_processes import CASES, train, weights
torch.distributed.init_process_group("gloo")
for engine, name in CASES:
    path = f"{{sys.argv[1]}}/{{engine}}_{{name}}"
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        net, history = train(engine, name, f"{{path}}.npz")
    np.savez(f"{{path}}_rank{{torch.distributed.get_rank()}}.npz", losses=history.step_loss, valid=history.valid_loss,
             said=[str(warning.message) for warning in caught], **weights(net))
torch.distributed.destroy_process_group()
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Two processes have trained all cases there, one after the other: to begin takes them longer than to train."""
    folder = tmp_path_factory.mktemp("two")
    (folder / "script.py").write_text(SCRIPT)
    torchrun(folder / "script.py", folder)
    return folder


def ranks(folder, engine, name):
    """Return what each process came to."""
    found = []
    for rank in (0, 1):
        with np.load(folder / f"{engine}_{name}_rank{rank}.npz") as file:
            found.append(dict(file))
    return found


@pytest.mark.parametrize("engine", ["torch", "numpy"])
def test_two_processes_are_one(engine, folder):
    """Weights, the loss of every step, what is measured; also where the last batch cannot be halved."""
    net, history = train(engine, "plain")
    one, other = ranks(folder, engine, "plain")
    for found in (one, other):
        assert not found["said"].size
        assert relative_error(found["losses"], np.array(history.step_loss)) < 1e-10
        assert relative_error(found["valid"], np.array(history.valid_loss)) < 1e-10
        for name, value in weights(net).items():
            assert relative_error(found[name], value) < 1e-10, name
    for name in one:
        np.testing.assert_array_equal(one[name], other[name])
    assert _checkpoint.read(folder / f"{engine}_plain.npz")[1]["step"] == 9


def test_batch_norm_and_dropout_are_named(folder):
    one, other = ranks(folder, "torch", "noisy")
    words = "2 processes train norm (BatchNorm2d), drop (Dropout): each sees its own rows only"
    assert all(str(found["said"]).count(words) == 1 for found in (one, other))
    np.testing.assert_array_equal(one["fc.weight"], other["fc.weight"])  # gradients are shared all the same


def test_a_batch_smaller_than_the_processes(tmp_path):
    """Whoever gets no row still takes part."""
    from cnnlib.training._processes import Together

    together = Together.__new__(Together)
    together.number, together.count = 1, 2
    assert len(together.share(np.arange(1))) == 0
    np.testing.assert_array_equal(together.share(np.arange(5)), [1, 3])


@pytest.mark.slow
def test_the_command_under_torchrun(tmp_path):
    """`torchrun -m cnnlib.train digits` ends with the weights of one process."""
    settings = ["-m", "cnnlib.train", "digits", "--nn", "torch", "--dtype", "float64", "--epochs", "1"]
    out = torchrun(*settings, "--checkpoint", str(tmp_path / "two.npz"))
    assert out.count("History: 1 epoch, 23 steps") == 1  # process 0 alone speaks
    torchrun(*settings, "--checkpoint", str(tmp_path / "one.npz"), processes=1)
    (one, about), (two, _) = (_checkpoint.read(tmp_path / f"{name}.npz") for name in ("one", "two"))
    assert about["epoch"] == 1
    for name, value in one.items():
        assert relative_error(two[name], value) < 1e-10, name
