"""Samples that are brought to the GPU once: when, how much, and that nothing else changes.

Where there is no GPU the CPU stands in for one: it is said to have memory free, and torch's tensors play the device's.
"""

from types import SimpleNamespace

import numpy as np
import pytest
from trainees import (
    SHAPE,
    Stop,
    assert_same_weights,
    needs_torch,
    noisy,
    ours,
    out_of_memory,
    plain,
    samples,
    sgd,
    theirs,
    torch_sgd,
)

from cnnlib import _array, training
from cnnlib.layers import _place
from cnnlib.training import _engines, _on_device

pytestmark = needs_torch
NETS = {"torch": lambda build: theirs(build), "ours on tensors": lambda build: ours(build).to("cpu")}
OPTIMIZERS = {"torch": torch_sgd, "ours on tensors": sgd}
TRAIN, VALID = samples(48), samples(20, seed=3)
SIZE = 48 * 30 * 4 + 48 * 8  # bytes of TRAIN: pixels and labels


def both_ways(x, rng):
    return training.mirror(training.shift(x, 1, rng=rng), rng=rng)


def run(kind="torch", build=plain, **settings):
    """Return (net, history) of three epochs of three steps."""
    net = NETS[kind](build)
    settings = dict(epochs=3, batch_size=16, device="cpu", callback=None) | settings
    return net, training.fit(net, TRAIN, VALID, optimizer=OPTIMIZERS[kind](net), **settings)


@pytest.fixture
def gpu(monkeypatch):
    """Let the CPU have as much memory as .free says, and keep in .moved how many pictures each copy to it held."""
    told = SimpleNamespace(free=0, moved=[])
    like = _place.like

    def counted(a, example):
        if isinstance(a, np.ndarray) and a.shape[1:] == SHAPE:
            told.moved.append(len(a))
        return like(a, example)

    monkeypatch.setattr(_on_device, "free_bytes", lambda device: told.free)
    monkeypatch.setattr(_engines._place, "like", counted)
    return told


@pytest.mark.parametrize("kind", NETS)
def test_they_go_over_once(kind, gpu):
    gpu.free = 10**6
    run(kind)
    assert gpu.moved == [1, 1, 48, 20]  # one sample each for the labels' range, then all; no batch
    gpu.free, gpu.moved = 0, gpu.moved[:0]
    run(kind)
    assert gpu.moved == [1, 1] + 3 * [16, 16, 16, 20]


@pytest.mark.parametrize("kind", NETS)
@pytest.mark.parametrize("augment", [None, both_ways])
def test_nothing_else_changes(kind, augment, gpu):
    """Weights and losses to the last bit: the order, what is drawn for pictures and for dropout are the same."""
    settings = dict(kind=kind, build=noisy, augment=augment)
    expected, before = run(**settings)
    gpu.free = 10**6
    found, history = run(**settings)
    assert 48 in gpu.moved
    assert_same_weights(found, expected)
    assert history.step_loss == before.step_loss
    assert (history.valid_loss, history.valid_accuracy) == (before.valid_loss, before.valid_accuracy)


def test_half_of_what_is_free_is_the_limit(gpu):
    gpu.free = 2 * SIZE - 1
    run(epochs=1)
    assert gpu.moved == [1, 1, 20, 16, 16, 16]  # train does not fit, valid does
    gpu.free, gpu.moved = 2 * SIZE, gpu.moved[:0]
    run(epochs=1)
    assert gpu.moved == [1, 1, 48, 20]


def test_what_train_took_is_not_valids(gpu, monkeypatch):
    left = iter([2 * SIZE, 0])
    monkeypatch.setattr(_on_device, "free_bytes", lambda device: next(left))
    run(epochs=1)
    assert gpu.moved == [1, 1, 48, 20] and next(left, None) is None
    left = iter([2 * SIZE, 0])
    run(epochs=2)
    assert gpu.moved[4:] == [1, 1, 48, 20, 20]  # valid twice, as a batch


def test_a_cpu_gains_nothing():
    import torch

    assert _on_device.free_bytes(torch.device("cpu")) == 0


def test_nets_on_numpy_stay_out_of_it(gpu):
    gpu.free = 10**6
    net = ours()
    training.fit(net, TRAIN, epochs=1, optimizer=sgd(net), batch_size=16, callback=None)
    assert gpu.moved == [1, 16, 16, 16]


def only_numpy(x, rng):
    return x.copy() + rng.random()  # a tensor has no copy()


def gives_numpy(x, rng):
    return np.asarray(x) + rng.random(dtype="float32")


OWN = np.random.default_rng(5)


def draws_elsewhere(x, rng):
    return x + OWN.random(dtype="float32")


def another_shape(x, rng):
    return x if isinstance(x, np.ndarray) else x[:, :, :3]


def other_values(x, rng):
    """Of a tensor, one pixel of the second picture comes out 0.1 % brighter."""
    x = x + 0
    x[1, 0, 2, 3] *= 1 if isinstance(x, np.ndarray) else 1.001
    return x


@pytest.mark.parametrize("augment", [only_numpy, gives_numpy, draws_elsewhere, another_shape, other_values])
def test_augmentation_that_cannot_take_tensors_stays_on_the_host(augment, gpu):
    gpu.free, kinds = 10**6, []

    def told(x, rng):
        kinds.append((type(x), len(x)))
        return augment(x, rng)

    run(augment=told, epochs=1)
    assert kinds[0] == (np.ndarray, 2) and kinds[2:] == [(np.ndarray, 16)] * 3  # [1]: the try on a tensor
    assert gpu.moved.count(48) == 0 and gpu.moved.count(16) == 3 and gpu.moved.count(20) == 1


def test_augmentation_that_can_gets_tensors(gpu):
    import torch

    gpu.free, kinds = 10**6, []
    run(augment=lambda x, rng: (kinds.append(type(x)), both_ways(x, rng))[1], epochs=1)
    assert kinds == [np.ndarray, torch.Tensor] + [torch.Tensor] * 3


def test_the_try_changes_no_sample(gpu):
    """An augmentation may work in place: on batches, which are copies."""
    def in_place(x, rng):
        x[:, :, 0] = rng.random()
        return x

    gpu.free = 10**6
    x, y = samples(48)
    net = theirs()
    training.fit(net, (x, y), epochs=1, optimizer=torch_sgd(net), batch_size=16, device="cpu", callback=None,
                 augment=in_place)
    assert 48 in gpu.moved
    np.testing.assert_array_equal(x, TRAIN[0])


def test_an_augmentation_at_fault_says_so(gpu):
    def wrong(x, rng):
        raise ValueError("pictures of 32 x 32 only")

    gpu.free = 10**6
    with pytest.raises(ValueError, match="pictures of 32 x 32 only"):
        run(augment=wrong)


def test_no_room_after_all(gpu, monkeypatch):
    """Free memory may lie in pieces: then batches go over one by one."""
    counted = _place.like

    def full(a, example):
        if len(a) > 40:
            raise out_of_memory("torch")
        return counted(a, example)

    expected, before = run()
    gpu.free = 10**6
    monkeypatch.setattr(_engines._place, "like", full)
    found, history = run()
    assert_same_weights(found, expected)
    assert history.step_loss == before.step_loss


@pytest.mark.parametrize("split", ["auto", False])
def test_samples_give_way_before_a_batch_is_cut(split, gpu):
    """Memory that runs out in step 5 takes the samples from the device; batch norm and dropout are no obstacle."""
    expected, before = run(build=noisy)
    gpu.free, gpu.moved, seen = 10**6, gpu.moved[:0], []
    net = theirs(noisy)
    forward = net.fc.forward

    def once(x):
        seen.append(len(x))
        if len(seen) == 2 + 3 + 1 + 2:  # looks at labels, an epoch of three, a measurement, the second step
            raise out_of_memory("torch")
        return forward(x)

    net.fc.forward = once
    history = training.fit(net, TRAIN, VALID, epochs=3, optimizer=torch_sgd(net), batch_size=16, device="cpu",
                           split_batches=split, callback=None)
    assert seen[7:9] == [16, 16]  # the same step again, whole
    assert gpu.moved == [1, 1, 48, 20] + [16, 20] + [16, 16, 16, 20]  # from step 6 on, batch by batch
    assert len(history.step_loss) == 9 and history.stopped is None
    assert history.step_loss[:4] == before.step_loss[:4]


def test_then_it_is_cut(gpu):
    """Where that was not enough, in halves as ever."""
    seen, net = [], theirs()
    forward = net.fc.forward

    def check(x):
        seen.append(len(x))
        if len(x) > 8 and net.training:
            raise out_of_memory("torch")
        return forward(x)

    net.fc.forward = check
    gpu.free = 10**6
    training.fit(net, TRAIN, epochs=1, optimizer=torch_sgd(net), batch_size=16, device="cpu", callback=None)
    assert seen == [1, 16, 16] + 6 * [8]


@pytest.mark.parametrize("kind", NETS)
@pytest.mark.parametrize("frees", [(10**6, 10**6), (10**6, 0), (0, 10**6)])
def test_goes_on_to_the_last_bit(kind, frees, gpu, tmp_path, ctrl_c_is_heard):
    """Also where the other half of the run had no room on its device."""
    settings = dict(kind=kind, build=noisy, augment=both_ways)
    expected, before = run(**settings)
    gpu.free = frees[0]
    _, cut = run(**settings, checkpoint=tmp_path / "run.npz", callback=Stop(5))
    assert len(cut.step_loss) == 5
    gpu.free = frees[1]
    found, history = run(**settings, checkpoint=tmp_path / "run.npz", resume=True)
    assert_same_weights(found, expected)
    assert history.step_loss == before.step_loss


@pytest.mark.cuda
@pytest.mark.parametrize("build", [plain, noisy])
def test_on_a_gpu(build, monkeypatch):
    """Picked and augmented there; and the losses are those of batches that go over one by one."""
    import torch

    if not torch.cuda.is_available():
        pytest.skip("no CUDA device")
    seen = []

    def told(x, rng):
        seen.append((_array.is_torch(x) and x.is_cuda, len(x)))
        return both_ways(x, rng)

    _, there = run(build=build, augment=told, device="cuda")
    assert seen == [(False, 2), (True, 2)] + 9 * [(True, 16)]
    monkeypatch.setattr(_on_device, "free_bytes", lambda device: 0)
    _, over = run(build=build, augment=told, device="cuda")
    assert seen[11:] == 9 * [(False, 16)]
    np.testing.assert_allclose(there.step_loss, over.step_loss, rtol=1e-4)  # a GPU may add up in another order
