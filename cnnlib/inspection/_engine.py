"""The seam between the two engines: what a net is, how it is run without a trace, and the gradient of a score."""

import sys
from contextlib import contextmanager

import numpy as np

from cnnlib import _array, layers


def is_ours(net):
    """Whether `net` is a layer of cnnlib.layers; False for one of torch's, an error for anything else."""
    torch = sys.modules.get("torch")
    if isinstance(net, layers.Module):
        return True
    if torch is None or not isinstance(net, torch.nn.Module):
        raise TypeError(f"`net` is {type(net).__name__}; it must be a layer of cnnlib.layers or a torch.nn.Module")
    return False


def first_array(net):
    """Return an array of the library, dtype and device that a net computes in; None where it has no parameters."""
    return next((getattr(each, "data", each) for each in net.parameters()), None)


def check_batch(net, x):
    """Check that `x` is a batch of pictures that this net can take."""
    _array.library(x=x)
    if not is_ours(net) and not _array.is_torch(x):
        raise TypeError("`x` is a NumPy array; a net of torch takes tensors: torch.from_numpy(x) makes one")
    if x.ndim != 4 or 0 in x.shape:
        raise ValueError(f"`x` has shape {tuple(x.shape)}; it must be pictures (N, C, H, W), at least one")


def one_picture(net, x):
    """Return a picture (C, H, W) as a batch of one."""
    _array.library(x=x)
    if x.ndim != 3:
        raise ValueError(f"`x` has shape {tuple(x.shape)}; it must be one picture (C, H, W)")
    check_batch(net, x[None])
    return x[None]


def as_targets(target, logits):
    """Return the classes of all pictures as an int64 array, from an int or an array of ints."""
    if logits.ndim != 2:
        raise ValueError(f"`net` gives shape {tuple(logits.shape)}; it must give scores (N, classes)")
    given, (count, classes) = _array.to_numpy(target), logits.shape
    if given.dtype.kind not in "iu" or given.shape not in ((), (count,)):
        raise ValueError(f"`target` has shape {given.shape} and dtype {given.dtype}; it must be an int, or {count} "
                         "ints: a class for each picture")
    if given.min() < 0 or given.max() >= classes:
        wrong = given.min() if given.min() < 0 else given.max()
        raise ValueError(f"`target` is {wrong}; the net's classes are 0 to {classes - 1}")
    return np.broadcast_to(given, (count,)).astype(np.int64)


def run(net, x):
    """Return the output for `x`, without a graph."""
    if is_ours(net):
        return net(x)
    import torch

    with torch.no_grad():
        return net(x)


@contextmanager
def undisturbed(net):
    """Run a net in evaluation, and give it its modes and gradients back."""
    modes = [(module, module.training) for module in net.modules()]
    grads = [(parameter, parameter.grad) for parameter in net.parameters()]
    try:
        net.eval()
        yield
    finally:
        for module, mode in modes:
            module.training = mode
        for parameter, grad in grads:
            parameter.grad = grad


@contextmanager
def recorded(net, stages):
    """Yield a dict that the next forward fills with what comes out of these stages."""
    modules, found = {stage: find(net, stage) for stage in stages}, {}
    try:
        for stage, module in modules.items():
            module.forward = _recording(stage, module.forward, found)
        yield found
    finally:
        for module in modules.values():
            vars(module).pop("forward", None)


def trunk_of(net):
    """Return what a net with further heads is in evaluation, or the net itself."""
    return net.trunk if type(net).__name__ == "Heads" else net


def find(net, stage):
    """Return the layer of that name; of a net with heads the trunk's stages have the paper's names."""
    for found in (trunk_of(net), net):
        modules = dict(found.named_modules())
        if stage and stage in modules:
            return modules[stage]
    names = [name for name, _ in trunk_of(net).named_children()]
    raise ValueError(f"there is no stage {stage!r}; there are {', '.join(names)}")


def check_ran(stages, found):
    """Check that the forward in which outputs were recorded has run all stages: heads rest in evaluation."""
    missing = [stage for stage in stages if stage not in found]
    if missing:
        raise ValueError(f"stage {missing[0]!r} does not run in evaluation")


def _recording(stage, forward, found):
    """Return `forward`, which also stores its output."""
    def run(*args):
        found[stage] = forward(*args)
        if _array.is_torch(found[stage]):
            return found[stage].clone()  # the next layer may write over it
        return found[stage]
    return run


def class_gradient(net, x, target, stage=None):
    """Return what comes out of a stage, and the gradient of the classes' scores by it; by `x` without a stage."""
    check_batch(net, x)
    with undisturbed(net), recorded(net, [] if stage is None else [stage]) as found:
        if not is_ours(net):
            return _class_gradient_torch(net, x, target, stage, found)
        logits = net(x)
        chosen = as_targets(target, logits)
        grad = _array.zeros(tuple(logits.shape), logits)
        for row, column in enumerate(chosen):
            grad[row, int(column)] = 1
        if stage is None:
            return x, net.backward(grad)
        check_ran([stage], found)
        return found[stage], net.backward(grad, down_to=stage)


def _class_gradient_torch(net, x, target, stage, found):
    import torch

    with torch.enable_grad():
        x = x.detach().clone().requires_grad_()
        logits = net(x)
        chosen = torch.as_tensor(as_targets(target, logits), device=logits.device)
        check_ran([] if stage is None else [stage], found)
        below = x if stage is None else found[stage]
        grad, = torch.autograd.grad(logits.gather(1, chosen[:, None]).sum(), below)
    return below.detach(), grad
