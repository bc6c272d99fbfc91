"""Same weights, same outputs, same gradients as torch's: each layer, a net of all containers, 50 steps of training."""

import numpy as np
import pytest
from helpers import assert_close
from twins import LAYERS, in_order, make, net, twin

from cnnlib import _array, layers, optim

torch = pytest.importorskip("torch")

ORDERS = ("usual", "batch innermost", "torch")


def tuples(out):
    return out if isinstance(out, tuple) else (out,)


def check_pass(ours, theirs, x, order, rng):
    """Compare outputs, the gradient of x, and the gradients of all parameters, which add up from pass to pass."""
    leaf = torch.tensor(x, requires_grad=True)
    outs, expected = tuples(ours(in_order(x, order))), tuples(theirs(leaf))
    grads = [rng.standard_normal(tuple(out.shape)) for out in expected]
    assert len(outs) == len(expected)
    for out, value in zip(outs, expected):
        assert_close(out, value.detach())
    torch.autograd.backward(expected, [torch.tensor(grad) for grad in grads])
    given = tuple(in_order(grad, order) for grad in grads)
    assert_close(ours.backward(given if len(given) > 1 else given[0]), leaf.grad)
    for (name, parameter), beside in zip(ours.named_parameters(), theirs.parameters()):
        if beside.grad is None:
            assert parameter.grad is None, name
        else:
            assert_close(parameter.grad, beside.grad)


def check_layer(factory, shape, order, rng):
    ours = make(factory, rng)
    theirs = twin(factory, ours)
    if order == "torch":
        ours.to("cpu")
    for training in (True, True, False):
        ours.train(training), theirs.train(training)
        check_pass(ours, theirs, rng.standard_normal(shape) + 0.3, order, rng)
    theirs_state = theirs.state_dict()
    assert list(ours.state_dict()) == list(theirs_state)
    for name, value in ours.state_dict().items():
        assert_close(value, theirs_state[name])


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("name", LAYERS)
def test_layer(rng, name, order):
    check_layer(*LAYERS[name], order, rng)


@pytest.mark.parametrize("order", ORDERS)
def test_net_with_every_container(rng, order):
    check_layer(net, (3, 4, 7, 8), order, rng)


@pytest.mark.parametrize("name", LAYERS)
def test_memory_order_is_kept(rng, name):
    """Batch innermost in, batch innermost out, forward and backward."""
    factory, shape = LAYERS[name]
    ours = make(factory, rng)
    x = _array.batch_innermost(rng.standard_normal(shape))
    out = ours(x)
    grad_x = ours.backward(_array.batch_innermost(np.array(out)))
    if name not in ("Linear, no bias", "RBF"):  # rows of four axes are copied together; distances are rows
        assert _array.is_batch_innermost(out) and _array.is_batch_innermost(grad_x)


LOSSES = {
    "MSELoss": (lambda nn, **kw: nn.MSELoss(**kw), "numbers", {}),
    "MSELoss, sum": (lambda nn, **kw: nn.MSELoss(**kw), "numbers", dict(reduction="sum")),
    "CrossEntropyLoss": (lambda nn, **kw: nn.CrossEntropyLoss(**kw), "classes",
                         dict(ignore_index=2, label_smoothing=0.1)),
    "CrossEntropyLoss, weights": (lambda nn, **kw: nn.CrossEntropyLoss(**kw), "classes",
                                  dict(weight=[1.0, 2.0, 0.5, 3.0])),
    "BCEWithLogitsLoss": (lambda nn, **kw: nn.BCEWithLogitsLoss(**kw), "answers",
                          dict(pos_weight=[1.0, 2.0, 0.5, 3.0])),
    "FocalLoss": (lambda nn, **kw: nn.FocalLoss(**kw), "answers", dict(gamma=1.5, reduction="sum")),
    "RubbishCrossEntropyLoss": (lambda nn, **kw: nn.RubbishCrossEntropyLoss(**kw), "classes",
                                dict(penalty=0.5, reduction="sum")),
}


@pytest.mark.parametrize("name", LOSSES)
def test_loss(rng, name):
    from cnnlib import torch_layers

    factory, kind, settings = LOSSES[name]
    x = rng.standard_normal((6, 4))
    target = {"numbers": rng.standard_normal((6, 4)), "classes": rng.integers(0, 4, 6),
              "answers": rng.integers(0, 2, (6, 4)).astype(float)}[kind]
    made = []
    for nn, convert in ((layers, np.array), (torch_layers, lambda a: torch.tensor(a, dtype=torch.float64))):
        made.append(factory(nn, **{key: convert(value) if isinstance(value, list) else value
                                   for key, value in settings.items()}))
    ours, theirs = made
    leaf = torch.tensor(x, requires_grad=True)
    expected = theirs(leaf, torch.tensor(target))
    expected.backward()
    assert_close(np.asarray(ours(x, target)), expected.detach())
    assert_close(ours.backward(), leaf.grad)
    assert_close(ours.backward(2.0), 2 * leaf.grad)
    assert_close(ours.to("cpu")(torch.tensor(x), torch.tensor(target)), expected.detach())
    assert_close(ours.backward(), leaf.grad)


def small(nn):
    return nn.Sequential({
        "conv1": nn.Conv2d(1, 4, 3), "norm": nn.BatchNorm2d(4), "relu": nn.ReLU(), "pool": nn.MaxPool2d(2),
        "flatten": nn.Flatten(), "fc1": nn.Linear(36, 10), "tanh": nn.Tanh(), "fc2": nn.Linear(10, 3)})


def data(rng, steps=50, batch=16):
    """Pictures of three classes: a bright spot in one of three places, and noise."""
    labels = rng.integers(0, 3, (steps, batch))
    x = 0.3 * rng.standard_normal((steps, batch, 1, 8, 8))
    for place in range(3):
        x[labels == place, :, 2 * place + 1, 2 * place + 1] += 2
    return x, labels


def test_fifty_steps_of_training(rng):
    """The same losses and the same weights, step by step, to 1e-9: rounding has had 50 steps to grow."""
    ours = make(small, rng)
    theirs = twin(small, ours)
    x, labels = data(rng)
    loss, their_loss = layers.CrossEntropyLoss(), torch.nn.CrossEntropyLoss()
    mine = optim.SGD(ours.parameters(), lr=0.05, momentum=0.9, weight_decay=1e-3)
    its = torch.optim.SGD(theirs.parameters(), lr=0.05, momentum=0.9, weight_decay=1e-3)
    history = []
    for step in range(len(x)):
        mine.zero_grad(), its.zero_grad()
        value = loss(ours(layers.batch_innermost(x[step])), labels[step])
        ours.backward_parameters(loss.backward())
        expected = their_loss(theirs(torch.tensor(x[step])), torch.tensor(labels[step]))
        expected.backward()
        mine.step(), its.step()
        assert abs(float(value) - expected.item()) < 1e-9
        history.append(float(value))
    assert np.mean(history[-5:]) < 0.1 * np.mean(history[:5])  # it learnt
    for name, value in theirs.state_dict().items():
        assert_close(ours.state_dict()[name], value, tolerance=1e-9)


@pytest.mark.parametrize("name", [name for name in LAYERS if "Conv" in name or "Linear" in name or "Norm" in name]
                         + ["Residual", "Gate", "Sequential"])
def test_backward_parameters_is_backward_without_the_input(rng, name):
    factory, shape = LAYERS[name]
    ours = make(factory, rng)
    out = ours(rng.standard_normal(shape))
    grad = rng.standard_normal(out.shape)
    ours.backward(grad)
    expected = ours.gradients()
    ours.zero_grad()
    assert ours.backward_parameters(grad) is None
    for found, value in zip(ours.gradients(), expected):
        if value is None:
            assert found is None
        else:
            assert_close(found, value)
