"""torch.nn and what it lacks: lazily, by torch's names, with our operations in torch's graph."""

import copy
import pickle
import re
import subprocess
import sys

import numpy as np
import pytest
from helpers import assert_close
from twins import IMAGE, net

from cnnlib import activations, conv, layers, linear, losses, norms, pool, torch_layers

torch = pytest.importorskip("torch")


def test_torch_comes_when_it_is_asked_for():
    script = ("import sys; from cnnlib import torch_layers; assert 'torch' not in sys.modules; torch_layers.Conv2d; "
              "assert 'torch' in sys.modules")
    subprocess.run([sys.executable, "-c", script], check=True)


def test_without_torch(monkeypatch):
    """None stands for a module that cannot be imported."""
    monkeypatch.setitem(sys.modules, "torch", None)
    for name in ("Conv2d", "Residual"):
        with pytest.raises(AttributeError, match=f"cnnlib.torch_layers.{name} needs torch, which is not installed"):
            getattr(torch_layers, name)
    assert "Conv2d" not in dir(torch_layers)


def test_names():
    assert torch_layers.Conv2d is torch.nn.Conv2d and torch_layers.Module is torch.nn.Module
    assert torch_layers.Residual is torch_layers.Residual and issubclass(torch_layers.Sequential, torch.nn.Sequential)
    assert {"Conv2d", "Gate", "autograd_function"} <= set(dir(torch_layers))
    with pytest.raises(AttributeError, match="neither torch.nn nor 'cnnlib.torch_layers' has 'Conv5d'"):
        torch_layers.Conv5d  # noqa: B018


def test_both_engines_have_the_same_constructors():
    """What a net may be built of; what is left out belongs to one engine by nature."""
    own = {"Buffer", "Module", "Parameter", "batch_innermost", "without_weights"}
    lacking = [name for name in layers.__all__ if name not in own and not hasattr(torch_layers, name)]
    assert lacking == []


def test_sequential_finds_stages_and_runs_up_to_one():
    model = torch_layers.Sequential({"conv": torch.nn.Conv2d(1, 2, 3), "block": torch_layers.Sequential(
        torch.nn.ReLU(), torch.nn.Flatten()), "fc": torch.nn.Linear(8, 3)})
    x = torch.randn(2, 1, 4, 4, generator=torch.Generator().manual_seed(0))
    assert model["conv"] is model[0] is model.conv and len(model[:2]) == 2
    assert torch.equal(model.forward_to(x, "conv"), model.conv(x))
    assert torch.equal(model.forward_to(x, "block.0"), model.conv(x).relu())
    assert torch.equal(model.forward_to(x, "fc"), model(x))
    assert torch.equal(torch.nn.Sequential(*model)(x), model(x))
    with pytest.raises(ValueError, match="there is no stage 'conv2'; there are conv, block, fc"):
        model.forward_to(x, "conv2")


def test_errors_name_the_stage():
    x = torch.ones(2, 3, 4, 4)
    model = torch_layers.Sequential({"a": torch.nn.ReLU(), "b": torch_layers.Sequential(torch.nn.Conv2d(4, 2, 3))})
    with pytest.raises(RuntimeError, match=r"in stage 'b.0', Conv2d\(4, 2, .*: .* input\[2, 3, 4, 4\] to have 4 chan"):
        model(x)
    for wrong, message in (
            (torch_layers.Residual(torch.nn.Conv2d(3, 5, 1)), "the body gives (2, 5, 4, 4) and the shortcut (2, 3, "),
            (torch_layers.Concat(torch.nn.Conv2d(3, 5, 3), torch.nn.Identity()), "the branches give 0 (2, 5, 2, 2), 1"),
            (torch_layers.Gate(torch.nn.Flatten()), "the body gives (2, 48) for `x` (2, 3, 4, 4)")):
        with pytest.raises(ValueError, match=re.escape(message)):
            wrong(x)
    with pytest.raises(TypeError, match=r"stage '0' is .*ReLU.*; it must be a layer of torch.nn.*: write ReLU\(...\)"):
        torch_layers.Sequential(torch.nn.ReLU)
    with pytest.raises(ValueError, match="`after_stage` is 'c'; the trunk's stages are a, b"):
        torch_layers.Heads(model, {"head": ("c", torch.nn.ReLU())})


def test_copies_and_pickles():
    model = net(torch_layers).eval()
    x = torch.ones(IMAGE)
    for other in (copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
        assert torch.equal(other(x), model(x)) and type(other) is torch_layers.Heads


def test_heads_run_in_training_only():
    model = net(torch_layers)
    assert [tuple(out.shape) for out in model(torch.ones(IMAGE))] == [(3, 5)] * 3
    assert tuple(model.eval()(torch.ones(IMAGE)).shape) == (3, 5)
    assert tuple(model.forward_to(torch.ones(IMAGE), "relu1").shape) == (3, 6, 7, 8)


def test_tensors_are_copies(rng):
    state = {"weight": rng.standard_normal((2, 3)), "bias": torch.ones(2)}
    found = torch_layers.tensors(state)
    assert_close(found["weight"], state["weight"])
    found["weight"][:], found["bias"][:] = 0, 0
    assert state["weight"].all() and bool(state["bias"].all())


# ---- our pairs in torch's graph

def leaves(rng, *shapes):
    return [None if shape is None else torch.tensor(rng.standard_normal(shape), requires_grad=True) for shape in shapes]


PAIRS = {
    "conv2d": (conv.conv2d, ((2, 4, 5, 4), (6, 2, 3, 2), (6,)), dict(stride=2, padding=1, groups=2)),
    "conv2d, no bias": (conv.conv2d, ((2, 4, 5, 4), (3, 4, 3, 2)), dict(method="im2col")),
    "conv_transpose2d": (conv.conv_transpose2d, ((2, 4, 3, 3), (4, 2, 2, 2), (2,)), dict(stride=2)),
    "linear": (linear.linear, ((3, 4), (2, 4), None), {}),
    "max_pool2d": (pool.max_pool2d, ((2, 3, 5, 6),), dict(kernel_size=3, stride=2)),
    "gelu": (activations.gelu, ((3, 4),), {}),
    "softmax": (activations.softmax, ((3, 4),), dict(dim=1)),
    "layer_norm": (norms.layer_norm, ((3, 4), ), dict(normalized_shape=4)),
    "batch_norm": (norms.batch_norm, ((3, 4, 2), None, None, (4,), (4,)), dict(training=True)),
    "mse_loss": (losses.mse_loss, ((3, 4), (3, 4)), {}),
}


@pytest.mark.parametrize("name", PAIRS)
def test_autograd_function(rng, name):
    """torch's own gradcheck, of our forward with our backward."""
    op, shapes, settings = PAIRS[name]
    function = torch_layers.autograd_function(op)
    arrays = leaves(rng, *shapes)
    out = function(*arrays, **settings)
    assert "Pair" in type(out.grad_fn).__qualname__ or op.__name__ in out.grad_fn.name()
    assert torch.equal(out, op(*arrays, **settings))
    assert torch.autograd.gradcheck(lambda *args: function(*args, **settings), arrays)


def test_a_wrong_backward_is_the_one_that_is_used(rng):
    def wrong(grad_output, x):
        return 2 * activations.relu_backward(grad_output, x)

    x, = leaves(rng, (4,))
    torch_layers.autograd_function(activations.relu, wrong)(x).sum().backward()
    assert torch.equal(x.grad, 2.0 * (x > 0))


def test_class_indices_have_no_gradient(rng):
    scores, = leaves(rng, (3, 4))
    torch_layers.autograd_function(losses.cross_entropy)(scores, torch.tensor([1, 0, 3])).backward()
    expected = torch.softmax(scores.detach(), 1) - torch.nn.functional.one_hot(torch.tensor([1, 0, 3]), 4)
    assert_close(scores.grad, np.asarray(expected / 3))
