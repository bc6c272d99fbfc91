"""``python -m cnnlib.train``: the recipe learns, the engines begin alike, options reach fit."""

import os
import subprocess
import sys

import numpy as np
import pytest
from trainees import needs_torch

pytest.importorskip("sklearn")

from cnnlib import layers, train, training  # noqa: E402


def test_digits(capsys, tmp_path):
    """Three epochs suffice for nine digits out of ten."""
    assert train.main(["digits", "--epochs", "3", "--csv", str(tmp_path / "run.csv")]) == 0
    out = capsys.readouterr().out.splitlines()
    assert len(out) == 4 and out[-1].startswith("History: 3 epochs, 69 steps")
    assert training.History.from_csv(tmp_path / "run.csv").valid_accuracy[-1] > 0.9


@needs_torch
def test_both_engines_begin_alike():
    from cnnlib import torch_layers

    ours, theirs = (train.digits_net(nn, np.random.default_rng(3)).state_dict() for nn in (layers, torch_layers))
    assert list(ours) == list(theirs)
    for name, value in ours.items():
        np.testing.assert_array_equal(value, theirs[name])


def test_first_weights_are_he_et_als():
    """Variance 2 / fan-in, no bias."""
    state = train.digits_net(layers, np.random.default_rng(0)).state_dict()
    assert not any(state[name].any() for name in state if name.endswith("bias"))
    assert state["fc1.weight"].std() == pytest.approx(np.sqrt(2 / 512), rel=0.02)
    assert state["conv2.weight"].std() == pytest.approx(np.sqrt(2 / 144), rel=0.05)


@needs_torch
def test_options(capsys, tmp_path):
    """torch, float64, checkpoint, resume."""
    path = tmp_path / "run.npz"
    options = ["digits", "--nn", "torch", "--dtype", "float64", "--device", "cpu", "--checkpoint", str(path)]
    train.main([*options, "--epochs", "1", "--seed", "2"])
    with pytest.raises(FileExistsError, match="resume=True goes on"):
        train.main([*options, "--epochs", "1", "--seed", "2"])
    train.main([*options, "--epochs", "1", "--seed", "2", "--resume"])
    assert np.load(path)["model/conv1.weight"].dtype == np.float64
    assert capsys.readouterr().out.count("History: 1 epoch, 23 steps") == 2


def test_an_unknown_recipe():
    run = subprocess.run([sys.executable, "-m", "cnnlib.train", "cake"], capture_output=True, text=True)
    assert run.returncode == 2 and "invalid choice: 'cake'" in run.stderr


@pytest.mark.parametrize("words", [[], ["digits", "--recipe", "digits"]])
def test_one_recipe_is_said(words, capsys):
    with pytest.raises(SystemExit):
        train.main(words)
    assert "say one recipe: digits, lenet5-mnist, resnet20-cifar10, cifar10-94, imagenette" in capsys.readouterr().err


@pytest.mark.skipif("CNNLIB_MIRROR" not in os.environ, reason="CNNLIB_MIRROR is not set: no real files to load")
@pytest.mark.parametrize("engine", ["numpy", pytest.param("torch", marks=needs_torch)])
def test_lenet5_learns_mnist(engine):
    """A smoke test: forty steps on real pictures of 32 x 32, and the loss has fallen by a fifth at least."""
    nn = layers
    if engine == "torch":
        from cnnlib import torch_layers as nn
    recipe = train.RECIPES["lenet5-mnist"](nn, epochs=1, num_train=2560, num_test=100)
    assert recipe["train"][0].shape == (2560, 1, 32, 32) and not recipe["train"][0][..., :2].any()
    losses = training.fit(**recipe, device="cpu" if engine == "torch" else "auto", callback=None).step_loss
    assert len(losses) == 40 and np.mean(losses[-5:]) < 0.8 * np.mean(losses[:5])
