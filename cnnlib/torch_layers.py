"""torch.nn, and what it lacks: the namespace ``nn`` that stands in for `cnnlib.layers` where torch does the work.

Every name of torch.nn is here (``torch_layers.Conv2d`` *is* ``torch.nn.Conv2d``), and beyond them the constructors that
our own engine has: Residual, Concat, Gate, Heads, Scale, LayerNorm2d, ScaledTanh, ZeroPadShortcut, Subsample2d,
TableConv2d, RBF, FocalLoss, RubbishCrossEntropyLoss, and a Sequential whose stages are found by name. A net that is
built from either has the same names in its state_dict, so that weights travel. torch is imported when the first of
them is asked for.
"""

from collections import OrderedDict
from functools import cache
from math import prod

import numpy as np

from cnnlib import losses
from cnnlib.activations import scaled_tanh
from cnnlib.gradcheck import backward_of
from cnnlib.layers import Subsample2d as _OurSubsample2d
from cnnlib.layers import TableConv2d as _OurTableConv2d
from cnnlib.layers import ZeroPadShortcut as _OurZeroPadShortcut
from cnnlib.layers import lenet
from cnnlib.layers._stages import (
    NAMED,
    check_after,
    check_branches,
    check_entered,
    check_gate,
    check_stage,
    check_sum,
    check_there,
    in_stage,
    named,
)
from cnnlib.layers.shapes import tell_smallest
from cnnlib.layers.shortcut import with_zero_channels


def __getattr__(name):
    if name.startswith("_"):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    try:
        import torch
    except ImportError:
        raise AttributeError(f"{__name__}.{name} needs torch, which is not installed: `pip install torch`, or take "
                             "cnnlib.layers, which runs on NumPy") from None
    if name in OWN:
        return _made(name)
    if hasattr(torch.nn, name):
        return getattr(torch.nn, name)
    raise AttributeError(f"neither torch.nn nor {__name__!r} has {name!r}")


def __dir__():
    try:
        import torch
    except ImportError:
        return sorted(globals())
    return sorted({*globals(), *OWN, *(name for name in dir(torch.nn) if name[0].isupper())})


@cache
def _made(name):
    """Return the class of this name: the one below, with torch's behind it."""
    import torch

    base = torch.nn.Sequential if name == "Sequential" else torch.nn.Module
    own = OWN[name]
    return type(name, (own, base), {"__doc__": own.__doc__, "__module__": __name__, "__qualname__": name})


# ---- layers that torch.nn lacks. What they derive from is joined to them by _made.

class _Sequential:
    """torch.nn.Sequential, which also takes a plain dict of stages, finds them by name, and runs up to one of them."""

    def __init__(self, *stages):
        import torch

        for name, stage in named(stages).items():
            check_stage(name, stage, torch.nn.Module)
        super().__init__(OrderedDict(named(stages)))

    def forward(self, x):
        shape = x.shape
        try:
            for name, stage in self.named_children():
                x = in_stage(name, stage, stage, x)
        except NAMED as error:
            tell_smallest(self, shape, error)
            raise
        return x

    def forward_to(self, x, stage):
        """Return what comes out of the stage called `stage` (a dot leads into one that is a Sequential itself)."""
        wanted, _, below = stage.partition(".")
        check_there(stage, wanted, [name for name, _ in self.named_children()])
        for name, module in self.named_children():
            if name == wanted and below:
                check_entered(stage, name, module)
                return in_stage(name, module, module.forward_to, x, below)
            x = in_stage(name, module, module, x)
            if name == wanted:
                return x

    def __getitem__(self, key):
        return getattr(self, key) if isinstance(key, str) else super().__getitem__(key)


class _Residual:
    """body(x) + shortcut(x); without a shortcut, body(x) + x."""

    def __init__(self, body, shortcut=None):
        super().__init__()
        self.body, self.shortcut = body, shortcut

    def forward(self, x):
        out = in_stage("body", self.body, self.body, x)
        past = x if self.shortcut is None else in_stage("shortcut", self.shortcut, self.shortcut, x)
        check_sum(out.shape, past.shape)
        return out + past


class _Concat:
    """Branches side by side: each gets x, and their channels are put one after the other."""

    def __init__(self, *branches):
        super().__init__()
        for name, branch in named(branches).items():
            self.add_module(name, branch)

    def forward(self, x):
        import torch

        outs = {name: in_stage(name, branch, branch, x) for name, branch in self.named_children()}
        check_branches({name: tuple(out.shape) for name, out in outs.items()})
        return torch.cat(list(outs.values()), dim=1)


class _Gate:
    """x times body(x)."""

    def __init__(self, body):
        super().__init__()
        self.body = body

    def forward(self, x):
        scale = in_stage("body", self.body, self.body, x)
        check_gate(scale.shape, x.shape)
        return x * scale


class _Heads:
    """A trunk, and further outputs that begin between its stages, in training only: layers.Heads."""

    def __init__(self, trunk, heads):
        super().__init__()
        self.trunk, self._after = trunk, {}
        for name, (after_stage, head) in heads.items():
            check_after(after_stage, [stage for stage, _ in trunk.named_children()])
            self._after[name] = after_stage
            self.add_module(name, head)

    def forward(self, x):
        if not self.training or not self._after:
            return in_stage("trunk", self.trunk, self.trunk, x)
        outs, shape = {}, x.shape
        try:
            for stage, module in self.trunk.named_children():
                x = in_stage(f"trunk.{stage}", module, module, x)
                for name, after in self._after.items():
                    if after == stage:
                        head = getattr(self, name)
                        outs[name] = in_stage(name, head, head, x)
        except NAMED as error:
            tell_smallest(self, shape, error)
            raise
        return x, *(outs[name] for name in self._after)

    def forward_to(self, x, stage):
        """Return what comes out of the trunk's stage of this name ("trunk." may stand before it); the heads rest."""
        return self.trunk.forward_to(x, stage.removeprefix("trunk."))


class _ScaledTanh:
    """LeNet-5's 1.7159 tanh(2x/3)."""

    def forward(self, x):
        return scaled_tanh(x)


class _FromOurs:
    """A layer that takes its first weights and its settings from our layer of the same name."""

    def _take(self, ours):
        import torch

        for name, parameter in ours.named_parameters():
            setattr(self, name, torch.nn.Parameter(torch.as_tensor(parameter.data)))


class _Scale:
    """Each channel times a number that is learnt: layers.Scale."""

    def __init__(self, num_channels, value=1e-6):
        import torch

        super().__init__()
        self.num_channels = num_channels
        self.weight = torch.nn.Parameter(torch.full((num_channels, 1, 1), float(value)))

    def forward(self, x):
        return x * self.weight


class _LayerNorm2d:
    """Normalise the channels at each position: layers.LayerNorm2d."""

    def __init__(self, num_channels, eps=1e-6):
        import torch

        super().__init__()
        self.num_channels, self.eps = num_channels, eps
        self.weight = torch.nn.Parameter(torch.ones(num_channels))
        self.bias = torch.nn.Parameter(torch.zeros(num_channels))

    def forward(self, x):
        import torch

        norm = torch.nn.functional.layer_norm
        return norm(x.permute(0, 2, 3, 1), (self.num_channels,), self.weight, self.bias, self.eps).permute(0, 3, 1, 2)


class _ZeroPadShortcut:
    """Every stride-th pixel, and channels of zeros: layers.ZeroPadShortcut."""

    def __init__(self, in_channels, out_channels, stride=1):
        super().__init__()
        ours = _OurZeroPadShortcut(in_channels, out_channels, stride)
        self.in_channels, self.out_channels, self.stride = ours.in_channels, ours.out_channels, ours.stride

    def forward(self, x):
        return with_zero_channels(x, self.out_channels, self.stride)


class _Subsample2d(_FromOurs):
    """The sum of each window, times a number, plus a number, both learnt: layers.Subsample2d."""

    def __init__(self, channels, kernel_size=2, *, rng=None):
        super().__init__()
        ours = _OurSubsample2d(channels, kernel_size, rng=rng)
        self._take(ours)
        self.channels, self.kernel_size, self.stride = channels, ours.kernel_size, ours.stride

    def forward(self, x):
        import torch

        lenet.check_channels(x.shape, self.channels)
        sums = torch.nn.functional.avg_pool2d(x, self.kernel_size) * prod(self.kernel_size)
        return sums * self.weight[:, None, None] + self.bias[:, None, None]


class _TableConv2d(_FromOurs):
    """A convolution in which each map sees only the channels that its row of a table names: layers.TableConv2d."""

    def __init__(self, table, kernel_size, *, rng=None):
        super().__init__()
        ours = _OurTableConv2d(table, kernel_size, rng=rng)
        self._take(ours)
        self.table, self.kernel_size = ours.table, ours.kernel_size
        self.in_channels, self.out_channels = ours.in_channels, ours.out_channels

    def forward(self, x):
        import torch

        weight = self.weight.new_zeros((self.out_channels, self.in_channels, *self.kernel_size))
        weight[lenet.entries(self.table)] = self.weight
        return torch.nn.functional.conv2d(x, weight, self.bias)


class _RBF:
    """Minus the squared distance of x from each of some centres: layers.RBF."""

    def __init__(self, centres):
        import torch

        super().__init__()
        self.register_buffer("centres", torch.as_tensor(centres, dtype=torch.float32).clone())

    def forward(self, x):
        lenet.check_features(x.shape, self.centres.shape)
        return -((x[:, None] - self.centres) ** 2).sum(dim=2)


class _FocalLoss:
    """The loss that looks away from what is easy: losses.focal_loss."""

    def __init__(self, *, alpha=0.25, gamma=2.0, reduction="mean"):
        super().__init__()
        self.settings = dict(alpha=alpha, gamma=gamma, reduction=reduction)

    def forward(self, x, target):
        return losses.focal_loss(x, target, **self.settings)


class _RubbishCrossEntropyLoss:
    """LeNet-5's loss: losses.rubbish_cross_entropy."""

    def __init__(self, *, penalty=0.1, reduction="mean"):
        super().__init__()
        self.settings = dict(penalty=penalty, reduction=reduction)

    def forward(self, x, target):
        return losses.rubbish_cross_entropy(x, target, **self.settings)


OWN = {own.__name__.lstrip("_"): own for own in (
    _Concat, _FocalLoss, _Gate, _Heads, _LayerNorm2d, _RBF, _Residual, _RubbishCrossEntropyLoss, _Scale, _ScaledTanh,
    _Sequential, _Subsample2d, _TableConv2d, _ZeroPadShortcut)}


# ---- our operations in torch's graph, our weights in torch's layers

@cache
def autograd_function(op, op_backward=None):
    """Return a function that computes with `op`, and whose gradients torch's autograd takes from `op_backward`.

    Parameters
    ----------
    op : function of arrays
    op_backward : function, optional
        ``op_backward(grad_output, *arrays, **settings)``; without it the ``.._backward`` that stands beside `op`.

    Returns
    -------
    function(*arrays, **settings)
        Tensors (or None) by position, everything else by name. Its backward cannot be differentiated again.

    Notes
    -----
    ``autograd_function(conv.conv2d)(x, weight, bias, stride=2)`` is a convolution whose gradients are those that
    notebooks/31 derives, within a net that torch trains.
    """
    import torch

    op_backward = op_backward or backward_of(op)

    class Pair(torch.autograd.Function):
        @staticmethod
        def forward(ctx, settings, *arrays):
            ctx.settings = settings
            ctx.save_for_backward(*arrays)
            return op(*arrays, **settings)

        @staticmethod
        @torch.autograd.function.once_differentiable
        def backward(ctx, grad_output):
            grads = op_backward(grad_output, *ctx.saved_tensors, **ctx.settings)
            return None, *(grads if isinstance(grads, tuple) else (grads,))[:len(ctx.saved_tensors)]

    Pair.__name__ = op.__name__
    return lambda *arrays, **settings: Pair.apply(settings, *arrays)


def gradient_error(op, *args, theirs=None, seed=0, **settings):
    """Return how far an operation and its backward, on NumPy arrays, are from torch's function and torch's autograd.

    Parameters
    ----------
    op : function, with its ``.._backward`` in the same module
    *args
        NumPy arrays, of which those of float are differentiated by, in float64; None; whatever else both take.
    theirs : function, optional
        Torch's; without it the one in torch.nn.functional that has the same name.
    seed : int
        For the upstream gradient, which is drawn at random.
    **settings
        Given to both by name.

    Returns
    -------
    float
        The largest difference among the values and the gradients, each relative to the largest entry of torch's;
        infinity where there is NaN.

    Examples
    --------
    >>> import numpy as np
    >>> from cnnlib import pool
    >>> gradient_error(pool.avg_pool2d, np.arange(16.0).reshape(1, 4, 4), kernel_size=3, stride=1) < 1e-12
    True
    """
    import torch

    theirs = getattr(torch.nn.functional, op.__name__) if theirs is None else theirs
    floats = [k for k, a in enumerate(args) if isinstance(a, np.ndarray) and a.dtype.kind == "f"]
    if not floats:
        raise TypeError("no argument is a NumPy array of float: there is nothing to differentiate by")
    args = [a.astype("float64") if k in floats else a for k, a in enumerate(args)]
    leaves = [torch.tensor(a, requires_grad=k in floats) if isinstance(a, np.ndarray) else a
              for k, a in enumerate(args)]
    expected = theirs(*leaves, **settings)
    grad_output = np.asarray(np.random.default_rng([seed, 1986]).standard_normal(tuple(expected.shape)))
    expected.backward(torch.tensor(grad_output))
    grads = backward_of(op)(grad_output, *args, **settings)
    grads = grads if isinstance(grads, tuple) else (grads,)
    return max(_difference(op(*args, **settings), expected.detach()),
               *(_difference(grads[k], leaves[k].grad) for k in floats))


def _difference(ours, theirs):
    """Return the largest difference, relative to the largest entry of torch's."""
    theirs = theirs.numpy()
    if ours is None or ours.shape != theirs.shape:
        raise ValueError(f"ours has shape {getattr(ours, 'shape', None)}, torch's {theirs.shape}")
    error = float(np.abs(ours - theirs).max(initial=0) / max(np.abs(theirs).max(initial=0), 1e-300))
    return np.inf if np.isnan(error) else error


def tensors(state_dict):
    """Return the arrays of a state_dict as tensors, which torch's load_state_dict wants: new ones, on the CPU."""
    import torch

    return {name: torch.tensor(array) if not isinstance(array, torch.Tensor) else array.clone()
            for name, array in state_dict.items()}
