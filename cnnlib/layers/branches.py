"""Layers around, beside and between others: shortcuts, branches, gates, further heads."""

from cnnlib._array import as_dtype, dtype_name, in_order_of, library, working
from cnnlib.layers._stages import (
    NAMED,
    Container,
    check_after,
    check_branches,
    check_gate,
    check_sum,
    in_stage,
    named,
)
from cnnlib.layers.sequential import Sequential
from cnnlib.layers.shapes import tell_smallest


class Residual(Container):
    """body(x) + shortcut(x): what is learnt is the difference.

    Parameters
    ----------
    body : layer
    shortcut : layer, optional
        x itself without; a 1x1 convolution where the body changes channels or size.

    References
    ----------
    .. [1] He, Zhang, Ren & Sun, Deep residual learning for image recognition, CVPR 2016. doi:10.1109/CVPR.2016.90
    """

    def __init__(self, body, shortcut=None):
        self._add("body", body)
        self.shortcut = None
        if shortcut is not None:
            self._add("shortcut", shortcut)

    def forward(self, x):
        out, past = self._forward("body", x), x if self.shortcut is None else self._forward("shortcut", x)
        check_sum(out.shape, past.shape)
        return out + past

    def backward(self, grad_output):
        past = grad_output if self.shortcut is None else self._backward("shortcut", grad_output)
        return self._backward("body", grad_output) + past


class Concat(Container):
    """Branches side by side: each gets x, and their channels are put one after the other.

    Parameters
    ----------
    *branches : layers, named "0", "1", ...; or one dict of name -> layer
    """

    def __init__(self, *branches):
        if not named(branches):
            raise ValueError("`branches` is empty; at least one must give channels")
        for name, branch in named(branches).items():
            self._add(name, branch)

    def forward(self, x):
        outs = {name: self._forward(name, x) for name, _ in self.named_children()}
        check_branches({name: tuple(out.shape) for name, out in outs.items()})
        self.keep([out.shape[1] for out in outs.values()])
        return in_order_of(library(x=x).concatenate(list(outs.values()), axis=1), x)

    def backward(self, grad_output):
        counts, = self.kept()
        if grad_output.ndim < 2 or grad_output.shape[1] != sum(counts):
            raise ValueError(f"`grad_output` has shape {tuple(grad_output.shape)}; the branches gave "
                             f"{' + '.join(map(str, counts))} = {sum(counts)} channels")
        grad_x = 0
        for name in self._names():
            grad_x = grad_x + self._backward(name, self._share(name, grad_output))
        return grad_x

    def _share(self, name, grad_output):
        counts, = self.kept()
        place = self._names().index(name)
        first = sum(counts[:place])
        return grad_output[:, first:first + counts[place]]


class Gate(Container):
    """x times body(x): the body says how much of each channel passes.

    Parameters
    ----------
    body : layer
        Gives an array of x's shape, or with 1 in the place of some axes: (N, C, 1, 1) for one number a channel.

    References
    ----------
    .. [1] Hu, Shen & Sun, Squeeze-and-excitation networks, CVPR 2018. doi:10.1109/CVPR.2018.00745
    """

    def __init__(self, body):
        self._add("body", body)

    def forward(self, x):
        scale = self._forward("body", x)
        check_gate(scale.shape, x.shape)
        self.keep(x, scale)
        return in_order_of(x * scale, x)

    def backward(self, grad_output):
        x, scale = self.kept()
        past = self._backward("body", self._share("body", grad_output))
        return in_order_of(grad_output * scale + past, x)

    def _share(self, name, grad_output):
        x, scale = self.kept()
        axes = tuple(axis for axis, (one, many) in enumerate(zip(scale.shape, x.shape)) if one != many)
        grad_scale = working(grad_output) * working(x)
        if axes:
            grad_scale = library(x=x).sum(grad_scale, axis=axes, keepdims=True)
        return in_order_of(as_dtype(grad_scale, dtype_name(x)), scale)


class Heads(Container):
    """A trunk, and further outputs that begin between its stages: auxiliary classifiers.

    In training a call returns (out, one more for each head, in the order of `heads`), and backward takes as many
    gradients; in evaluation the heads rest, a call returns out, and backward takes its gradient.

    Parameters
    ----------
    trunk : Sequential
    heads : dict of name -> (after_stage, layer)
        The name of the trunk's stage whose output the head takes.
    """

    def __init__(self, trunk, heads):
        if not isinstance(trunk, Sequential):
            raise TypeError(f"`trunk` is a {type(trunk).__name__}; it must be a Sequential, whose stages have names")
        self._add("trunk", trunk)
        self._after = {}
        for name, (after_stage, head) in heads.items():
            check_after(after_stage, trunk._names())
            self._after[name] = after_stage
            self._add(name, head)
        self._branched = False  # whether the last forward ran the heads

    def forward(self, x):
        self._branched = self.training and bool(self._after)
        if not self._branched:
            return self._forward("trunk", x)
        outs, shape = {}, x.shape
        try:
            for stage in self.trunk._names():
                x = in_stage("trunk", self.trunk, self.trunk._forward, stage, x)
                outs |= {name: self._forward(name, x) for name, after in self._after.items() if after == stage}
        except NAMED as error:
            tell_smallest(self, shape, error)
            raise
        self.trunk._ran = tuple(self.trunk._names())
        return x, *(outs[name] for name in self._after)

    def forward_to(self, x, stage):
        """Return what comes out of the trunk's stage of this name ("trunk." may stand before it); the heads rest."""
        self._branched = False
        return self.trunk.forward_to(x, stage.removeprefix("trunk."))

    def backward(self, grad_output, down_to=None):
        """Return the gradient of the input, or of what came out of the trunk's stage `down_to`."""
        target = below = None
        if down_to is not None:
            down_to = down_to.removeprefix("trunk.")
            target, below = self.trunk._find(down_to)
        if not self._branched:
            return self._backward("trunk", grad_output, down_to=down_to)
        if not isinstance(grad_output, (tuple, list)) or len(grad_output) != 1 + len(self._after):
            raise TypeError(f"`grad_output` must be a tuple of {1 + len(self._after)} gradients: of the output, and of "
                            f"the heads {', '.join(self._after)}")
        grad, *of_heads = grad_output
        of_heads = dict(zip(self._after, of_heads))
        for stage in reversed(self.trunk._ran):
            for name, after in self._after.items():
                if after == stage:
                    grad = grad + self._backward(name, of_heads[name])
            if stage == target and not below:
                return grad
            grad = in_stage("trunk", self.trunk, self.trunk._backward, stage, grad, below if stage == target else None)
            if stage == target:
                return grad
        return grad

    def _backward_to(self, grad_output, down_to):
        return self.backward(grad_output, down_to)
