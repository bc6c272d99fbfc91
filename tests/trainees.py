"""Small nets and data for the tests of training: in both engines, with the same first weights."""

import os
import signal
from importlib.util import find_spec

import numpy as np
import pytest

from cnnlib import layers, optim

needs_torch = pytest.mark.skipif(find_spec("torch") is None, reason="torch is not installed")
SHAPE = (1, 6, 5)  # of a picture: rows and columns differ


def plain(nn):
    """A net without batch norm and dropout."""
    return nn.Sequential({
        "conv": nn.Conv2d(1, 4, 3, padding=1), "relu": nn.ReLU(), "pool": nn.MaxPool2d(2), "flatten": nn.Flatten(),
        "fc": nn.Linear(4 * 3 * 2, 3)})


def noisy(nn):
    """A net with batch norm and dropout."""
    return nn.Sequential({
        "conv": nn.Conv2d(1, 4, 3, padding=1), "norm": nn.BatchNorm2d(4), "relu": nn.ReLU(), "drop": nn.Dropout(0.3),
        "flatten": nn.Flatten(), "fc": nn.Linear(4 * 30, 3)})


def ours(build=plain, dtype="float32", seed=0):
    return build(layers).reset_parameters(np.random.default_rng(seed)).to(dtype)


def theirs(build=plain, dtype="float32", seed=0):
    """Return torch's net with the weights of ours."""
    import torch

    from cnnlib import torch_layers

    net = build(torch_layers).to(getattr(torch, dtype))
    net.load_state_dict(torch_layers.tensors(ours(build, dtype, seed).state_dict()))
    return net


def samples(count=48, dtype="float32", seed=1):
    """Return noise with a bright row whose place is the class: learnt within a few epochs."""
    rng = np.random.default_rng(seed)
    y = np.arange(count) % 3
    x = rng.random((count, *SHAPE)) * 0.5
    x[np.arange(count), 0, 2 * y] += 1
    return x.astype(dtype), y


def sgd(net, lr=0.1, **settings):
    return optim.SGD(net.parameters(), lr=lr, momentum=0.9, **settings)


def torch_sgd(net, lr=0.1, **settings):
    import torch

    return torch.optim.SGD(net.parameters(), lr=lr, momentum=0.9, **settings)


def weights(net):
    """Return all weights and buffers by name, as NumPy."""
    from cnnlib import _array

    return {name: np.array(_array.to_numpy(value)) for name, value in net.state_dict().items()}


def assert_same_weights(a, b):
    """To the last bit."""
    a, b = weights(a), weights(b)
    assert list(a) == list(b)
    for name in a:
        np.testing.assert_array_equal(a[name], b[name], err_msg=name)


def out_of_memory(kind):
    """Return an error as NumPy or torch would raise it."""
    if kind == "numpy":
        return MemoryError("Unable to allocate 9 TiB")
    if kind == "torch":
        import torch

        return torch.cuda.OutOfMemoryError("CUDA out of memory. Tried to allocate 9 TiB")
    return RuntimeError("[enforce fail] DefaultCPUAllocator: not enough memory: you tried to allocate 9 bytes.")


def limited(net, most, kind="numpy", log=None):
    """Let the net's last layer fail on more than `most` samples, as if memory had run out there."""
    layer = net.fc
    forward = layer.forward

    def check(x):
        if log is not None:
            log.append(len(x))
        if len(x) > most:
            raise out_of_memory(kind)
        return forward(x)

    layer.forward = check
    return net


class Stop:
    """A callback that interrupts after so many steps, as Ctrl-C does."""

    def __init__(self, step):
        self.step = step

    def __call__(self, progress):
        if progress.step == self.step and not progress.epoch_ended:
            os.kill(os.getpid(), signal.SIGINT)
