"""A run on an iterable that is cut off and goes on: the batches that would have come, or an error."""

import numpy as np
import pytest
from trainees import Stop, assert_same_weights, needs_torch, noisy, ours, samples, sgd, theirs, torch_sgd

from cnnlib import training

pytestmark = pytest.mark.usefixtures("ctrl_c_is_heard")
STEPS, EPOCHS = 5, 3
ENGINES = ["numpy", pytest.param("torch", marks=needs_torch)]
WHERE = [dict(epochs=1), *(dict(callback=Stop(step)) for step in (STEPS, STEPS + 3, 2 * STEPS - 1))]  # a run is cut off


def fit(engine, data, path=None, **settings):
    make, optimizer = (ours, sgd) if engine == "numpy" else (theirs, torch_sgd)
    net = make(noisy)
    history = training.fit(net, data, samples(20, seed=2), optimizer=optimizer(net), device="auto", checkpoint=path,
                           **dict(epochs=EPOCHS, callback=None) | settings)
    return net, history


def loader(kind="plain"):
    """Return a new DataLoader that shuffles, as a fresh process would make it."""
    import torch

    class Noisy(torch.utils.data.TensorDataset):
        """Pictures that are changed at random, as torchvision's transforms do."""

        def __getitem__(self, number):
            x, y = super().__getitem__(number)
            return x + 0.1 * torch.rand(x.shape), y

    x, y = map(torch.as_tensor, samples(40))
    dataset = (Noisy if kind == "augmented" else torch.utils.data.TensorDataset)(x, y)
    return torch.utils.data.DataLoader(dataset, batch_size=8, shuffle=True,
                                       generator=torch.Generator().manual_seed(3) if kind == "own" else None)


@needs_torch
@pytest.mark.parametrize("kind", ["plain", "own", "augmented"])
@pytest.mark.parametrize("cut", WHERE)
@pytest.mark.parametrize("engine", ["numpy", "torch"])
def test_a_loader_that_shuffles_goes_on(engine, cut, kind, tmp_path):
    """At an epoch's end and amid one, by torch's generator or the loader's own; dropout draws between the batches."""
    import torch

    whole, expected = fit(engine, loader(kind))
    fit(engine, loader(kind), tmp_path / "run.npz", **cut)
    with torch.random.fork_rng():
        torch.manual_seed(99)  # somebody else's draws
        net, history = fit(engine, loader(kind), tmp_path / "run.npz", resume=True)
    assert history.step_loss == expected.step_loss
    assert_same_weights(net, whole)


@needs_torch
@pytest.mark.parametrize("engine", ["numpy", "torch"])
def test_the_seed_decides_how_a_loader_shuffles(engine):
    """And torch's generator is left as it was, for our engine too."""
    import torch

    losses = [fit(engine, loader(), seed=seed)[1].step_loss for seed in (0, 0, 1)]
    assert losses[0] == losses[1] != losses[2]
    net = ours()
    before = torch.get_rng_state()
    training.fit(net, loader(), epochs=1, optimizer=sgd(net), callback=None)
    assert torch.equal(before, torch.get_rng_state())


def pieces(count=40, size=8, seed=1):
    x, y = samples(count, seed=seed)
    return [(x[begin:begin + size], y[begin:begin + size]) for begin in range(0, count, size)]


@pytest.mark.parametrize("cut", WHERE)
@pytest.mark.parametrize("engine", ENGINES)
def test_a_list_goes_on(engine, cut, tmp_path):
    whole, expected = fit(engine, pieces())
    fit(engine, pieces(), tmp_path / "run.npz", **cut)
    net, history = fit(engine, pieces(), tmp_path / "run.npz", resume=True)
    assert history.step_loss == expected.step_loss
    assert_same_weights(net, whole)


class Shuffled:
    """Batches in an order that numpy's own generator decides: nobody outside can put it back."""

    def __init__(self):
        self.rng = np.random.default_rng(0)

    def __iter__(self):
        batches = pieces()
        return iter([batches[number] for number in self.rng.permutation(len(batches))])


def test_other_batches_are_refused(tmp_path):
    """Amid an epoch one sees that they are others; not one step is taken."""
    fit("numpy", Shuffled(), tmp_path / "run.npz", callback=Stop(STEPS + 3))
    before = (tmp_path / "run.npz").read_bytes()
    with pytest.raises(ValueError, match="`train` gives other batches than before the checkpoint"):
        fit("numpy", Shuffled(), tmp_path / "run.npz", resume=True)
    fit("numpy", pieces(), tmp_path / "list.npz", callback=Stop(STEPS + 3))
    with pytest.raises(ValueError, match=r"`train` gave 2 batches; the run had learnt from 3 of this epoch"):
        fit("numpy", pieces()[:2], tmp_path / "list.npz", resume=True)
    assert (tmp_path / "run.npz").read_bytes() == before


def test_where_nobody_can_see_it_is_said(tmp_path):
    """Between two epochs."""
    fit("numpy", Shuffled(), tmp_path / "run.npz", epochs=1)
    with pytest.warns(training.TrainingWarning, match="`train` is a Shuffled: whether it gives the batches of epoch 2"):
        fit("numpy", Shuffled(), tmp_path / "run.npz", resume=True)
