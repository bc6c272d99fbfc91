"""Recipes for large sets, tried on 500 pictures of CIFAR-10: the loss falls, a run goes on, two train one net.

For Imagenette they stand in, too: its photographs are not at hand (tests/data/test_imagenette.py trains on made-up ones
by the real path). Nets have fewer channels than the recipes', which `make test-all` trains as they are. What the
recipes reach on whole sets is not known here.
"""

import os
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from processes import torchrun
from trainees import needs_torch

from cnnlib import data, layers, training
from cnnlib.data import cifar
from cnnlib.recipes import cifar10_94, imagenette, resnet20_cifar10
from cnnlib.recipes._parts import standardised

pytestmark = pytest.mark.skipif("CNNLIB_MIRROR" not in os.environ,
                                reason="CNNLIB_MIRROR is not set: no real files to load")
RECIPES = {"resnet20": resnet20_cifar10.recipe, "94": cifar10_94.recipe,
           "imagenette": partial(imagenette.recipe, size=32)}


def some_cifar10(num_train=None, num_test=None):
    """Stand in for data.load_cifar10: the first 500 pictures of two of its files."""
    folder = Path(os.environ["CNNLIB_MIRROR"]) / "cifar10_subset"
    for file, count in (("data_batch_1_first500.bin", num_train), ("test_batch_first500.bin", num_test)):
        levels, labels = cifar.parse((folder / file).read_bytes(), file, 500)
        yield (levels[:count] / np.float32(255)), labels[:count].astype("int64")


@pytest.fixture(autouse=True)
def subset(monkeypatch):
    monkeypatch.setattr(data, "load_cifar10", lambda *counts: tuple(some_cifar10(*counts)))
    monkeypatch.setattr(data, "load_imagenette", lambda *counts, size: tuple(some_cifar10(*counts)))


@pytest.fixture(params=["narrow", pytest.param("as it is", marks=pytest.mark.slow)])
def width(request, monkeypatch):
    """Give each recipe's net a quarter of its channels, or leave it."""
    if request.param == "narrow":
        monkeypatch.setattr(cifar10_94, "WIDTHS", tuple(width // 4 for width in cifar10_94.WIDTHS))
        for module, name in ((resnet20_cifar10, "resnet_cifar"), (imagenette, "resnet")):
            monkeypatch.setattr(module, name, partial(getattr(module, name), width=1 / 4))


@needs_torch
@pytest.mark.usefixtures("width")
@pytest.mark.filterwarnings("ignore:after epoch")  # of 50 answers, a fifth right may be chance
@pytest.mark.parametrize("name", RECIPES)
def test_the_loss_falls(name):
    from cnnlib import torch_layers

    # from 50 pictures nothing is learnt that holds for others: `valid` would be at chance
    recipe = RECIPES[name](torch_layers, epochs=20, batch_size=50, num_train=50) | dict(valid=None)
    history = training.fit(**recipe, device="cpu", callback=None)
    assert history.train_loss[-1] < 0.95 * min(np.log(10), history.step_loss[0])  # log(10): who guesses among ten
    assert history.train_accuracy[-1] > 0.2  # twice chance


@needs_torch
@pytest.mark.usefixtures("width")
@pytest.mark.parametrize("name", RECIPES)
def test_a_run_goes_on_to_the_last_bit(name, tmp_path):
    """Two epochs at once, and the same in two pieces."""
    from cnnlib import torch_layers

    def run(path, epochs, **more):
        recipe = RECIPES[name](torch_layers, epochs=2, batch_size=25, num_train=200, num_test=50)
        if epochs < 2:  # stopped after so many
            def stop(progress):
                if progress.step == 2:
                    raise KeyboardInterrupt
            more["callback"] = stop
        training.fit(**recipe | dict(callback=None) | more, device="cpu", checkpoint=path)
        return recipe["model"].state_dict()

    whole = run(tmp_path / "whole.npz", 2)
    run(tmp_path / "pieces.npz", 1)
    pieces = run(tmp_path / "pieces.npz", 2, resume=True)
    assert all(np.array_equal(value, pieces[key]) for key, value in whole.items())


@needs_torch
@pytest.mark.usefixtures("width")
def test_both_engines_begin_alike_and_take_the_same_first_step():
    from cnnlib import torch_layers

    for build in RECIPES.values():
        losses = []
        for nn in (layers, torch_layers):
            recipe = build(nn, epochs=1, batch_size=8, num_train=24, num_test=8)
            losses.append(training.fit(**recipe, device="auto" if nn is layers else "cpu", callback=None).step_loss)
        np.testing.assert_allclose(losses[0][0], losses[1][0], rtol=1e-4)
        np.testing.assert_allclose(losses[0], losses[1], rtol=0.05)  # rounding grows from step to step


def test_whitened_patches_are_uncorrelated():
    (x, _), _ = some_cifar10()
    x = standardised(x, cifar10_94.MEAN, cifar10_94.DEVIATION)
    net = cifar10_94.network(layers)
    cifar10_94.whiten(net, x)
    answers = net.forward_to(x, "whiten") - net.whiten.bias.data[:, None, None]
    rows = answers[:, :12].transpose(1, 0, 2, 3).reshape(12, -1).astype(np.float64)
    covariance = rows @ rows.T / rows.shape[1]
    np.testing.assert_allclose(covariance, np.diag(np.diag(covariance)), atol=1e-3)
    assert 0.9 < np.diag(covariance)[-6:].min() and np.diag(covariance).max() < 1.001
    np.testing.assert_allclose(answers[:, 12:], -answers[:, :12], atol=1e-4)


@needs_torch
@pytest.mark.usefixtures("width")
def test_the_whitening_is_not_learnt():
    from cnnlib import torch_layers

    recipe = cifar10_94.recipe(torch_layers, epochs=1, batch_size=50, num_train=100, num_test=10)
    before = recipe["model"].whiten.weight.detach().clone()
    training.fit(**recipe, device="cpu", callback=None)
    assert np.array_equal(before, recipe["model"].whiten.weight.detach())


@needs_torch
@pytest.mark.parametrize("name", RECIPES)
def test_pictures_are_moved_alike_on_either_library(name):
    """To the last bit: so they may be moved on a GPU, where all samples are (see training/_on_device.py)."""
    import torch

    recipe = RECIPES[name](layers, num_train=16, num_test=8)
    (x, _), augment = recipe["train"], recipe["augment"]
    moved = augment(x, np.random.default_rng(1))
    there = augment(torch.as_tensor(x), np.random.default_rng(1))
    assert isinstance(there, torch.Tensor) and (moved != x).any(axis=(1, 2, 3)).sum() > 10
    np.testing.assert_array_equal(there.numpy(), moved)


def test_the_papers_schedule():
    """A tenth of the rate after 32,000 and after 48,000 of 64,000 steps."""
    recipe = resnet20_cifar10.recipe(layers, num_train=8, num_test=8)
    schedule = recipe["schedule"](recipe["optimizer"], 64_000)
    assert [round(schedule.factor(step), 6) for step in (0, 31_999, 32_000, 47_999, 48_000, 63_999)] == [
        1, 1, 0.1, 0.1, 0.01, 0.01]


SCRIPT = """
import os, sys
import numpy as np
from cnnlib import data, train, training
from test_train_recipes import some_cifar10
data.load_cifar10 = lambda *counts: tuple(some_cifar10(64, 16))
data.load_imagenette = lambda *counts, size: tuple(some_cifar10(64, 16))
folder, fit = sys.argv.pop(1), training.fit


def fit_and_tell(model, **settings):
    begin = {name: parameter.detach().clone() for name, parameter in model.named_parameters()}
    history = fit(model, **settings)
    found = {name: (before.numpy(), dict(model.named_parameters())[name].detach().numpy())
             for name, before in begin.items()}
    np.savez(f"{folder}/rank{os.environ['RANK']}.npz", **{name: np.stack(pair) for name, pair in found.items()})
    return history


training.fit = fit_and_tell
train.main(sys.argv[1:])
"""


@needs_torch
@pytest.mark.parametrize("name", ["resnet20-cifar10", pytest.param("cifar10-94", marks=pytest.mark.slow),
                                  pytest.param("imagenette", marks=pytest.mark.slow)])
def test_two_processes_under_torchrun(name, tmp_path):
    """They end with the same weights to the last bit, though each saw other pictures, and all layers have learnt."""
    (tmp_path / "script.py").write_text(SCRIPT)
    torchrun(tmp_path / "script.py", tmp_path, "--recipe", name, "--nn", "torch", "--epochs", "1",
             "--csv", tmp_path / "run.csv")
    assert np.isfinite(training.History.from_csv(tmp_path / "run.csv").train_loss).all()
    one, other = (np.load(tmp_path / f"rank{rank}.npz") for rank in (0, 1))
    assert len(one.files) > 10
    learnt = {key.rpartition(".")[0]: False for key in one.files}
    for key in one.files:
        np.testing.assert_array_equal(one[key], other[key], err_msg=key)
        learnt[key.rpartition(".")[0]] |= (one[key][0] != one[key][1]).any()
    assert all(learnt.values()), learnt  # by layer: the few first steps are too small for a batch norm's weight of 1
