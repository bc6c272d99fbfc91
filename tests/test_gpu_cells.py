"""The cells that wait for a GPU, run on the CPU with a few pictures: their lines work, and they train what they say."""

from functools import partial
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("nbformat")

import nbformat
import torch
from checkout import ROOT

from cnnlib import architectures, data, notebook, training

PICTURES = 12


def cells(number):
    """Return the cells of a lecture by their ids."""
    path, = Path(ROOT, "notebooks").glob(f"{number}_*.ipynb")
    return {cell.id: cell.source for cell in nbformat.read(path, 4).cells}


@pytest.fixture
def lent(monkeypatch):
    """Lend a cell a GPU that is the CPU, slim nets, and few pictures; return what `fit` was given and gave."""
    fitted, fit, moved = [], training.fit, torch.nn.Module.to

    def few(side):
        def load(*args, **kwargs):
            rng = np.random.default_rng(0)
            x, y = rng.random((PICTURES, 3, side, side), np.float32), np.arange(PICTURES) % 10
            return (x, y), (x[:5], y[:5])
        return load

    def recorded(model, *args, **kwargs):
        before = [value.detach().clone() for value in model.parameters()]
        fitted.append((model, args, before, fit(model, *args, callback=None, **kwargs)))
        return fitted[-1][-1]

    home = {"cuda": "cpu"}
    monkeypatch.setattr(torch.nn.Module, "to", lambda net, *where: moved(net, *(home.get(str(k), k) for k in where)))
    monkeypatch.setattr(torch.nn.Module, "cuda", lambda net: net)
    for name in ("rand", "randn"):
        make = getattr(torch, name)
        monkeypatch.setattr(torch, name, lambda n, *sizes, device=None, make=make: make(min(n, 2), *sizes))
    monkeypatch.setattr(notebook, "gpu", lambda: torch.device("cpu"))
    monkeypatch.setattr(notebook, "device", lambda: "a GPU that is none")
    monkeypatch.setattr(notebook, "fastest", lambda functions, **_: dict.fromkeys(functions, 1.0))
    monkeypatch.setattr(data, "load_imagenette", few(128))
    monkeypatch.setattr(data, "load_cifar10", few(32))
    monkeypatch.setattr(training, "fit", recorded)
    for name in ("alexnet", "zfnet", "vgg", "googlenet"):
        monkeypatch.setattr(architectures, name, partial(getattr(architectures, name), width=1 / 16))
    monkeypatch.setattr(architectures, "pretrained", lambda name: getattr(architectures, name)().eval())
    return fitted


@pytest.mark.parametrize("number, ids, epochs, runs, named", [
    (41, ["gpu-check"], 10, 1, {}), (42, ["gpu-check", "gpu-train"], 15, 2, {}),
    (43, ["gpu-check"], 5, 1, {"nets": dict.fromkeys("ABCDE", architectures.summary(architectures.lenet5,
                                                                                    (1, 32, 32)))}),
    (44, ["gpu-check"], 5, 1, {"kinds": {"naive": False, "reduced": True}})])
def test_a_gpu_cell_trains_on_real_pictures(lent, capsys, number, ids, epochs, runs, named):
    source, there = cells(number), dict(named)
    exec("\n".join(["from cnnlib import notebook", source["imports"], *map(source.get, ids)]), there)
    assert len(lent) == runs
    for model, (train, valid), before, history in lent:
        assert len(train[0]) == PICTURES and len(valid[0]) == 5
        assert history.epoch == list(range(1, epochs + 1)) and np.isfinite(history.train_loss).all()
        assert len(history.valid_accuracy) == epochs
        changed = [not torch.equal(value, now) for value, now in zip(before, model.parameters())]
        assert np.mean(changed) > 0.9
        assert next(iter(model.parameters())).dtype == torch.float32  # mixed precision keeps the weights as they are
    assert "no GPU here" not in capsys.readouterr().out


def test_zfnets_two_nets_differ_in_the_papers_two_numbers(lent):
    """11/4 with conv2's step of 1 is AlexNet's first half: maps of 30 where ZFNet has 62, 6 where it has 7."""
    exec("\n".join(["from cnnlib import notebook", *map(cells(42).get, ("imports", "gpu-check", "gpu-train"))]), {})
    sizes = [[table[stage].output_shape[-1] for stage in ("conv1", "pool1", "conv2", "pool2", "pool5")]
             for table in (architectures.summary(model, (3, 128, 128)) for model, *_ in lent)]
    assert sizes == [[62, 31, 14, 7, 3], [30, 15, 11, 6, 2]]
