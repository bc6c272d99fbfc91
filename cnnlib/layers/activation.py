"""Activations as layers."""

from cnnlib import activations
from cnnlib.layers._module import Function, Module


class ReLU(Function):
    """max(x, 0): :func:`activations.relu`."""

    op, op_backward = staticmethod(activations.relu), staticmethod(activations.relu_backward)

    def forward(self, x):
        out = activations.relu(x)
        self.keep(out)  # positive where x is, and the next layer keeps it anyway
        return out


class ReLU6(Function):
    """max(x, 0), but at most 6: :func:`activations.relu6`."""

    op, op_backward = staticmethod(activations.relu6), staticmethod(activations.relu6_backward)


class LeakyReLU(Function):
    """x or negative_slope * x: :func:`activations.leaky_relu`."""

    op, op_backward = staticmethod(activations.leaky_relu), staticmethod(activations.leaky_relu_backward)

    def __init__(self, negative_slope=0.01):
        super().__init__(negative_slope=negative_slope)


class Sigmoid(Function):
    """1 / (1 + exp(-x)): :func:`activations.sigmoid`."""

    op, op_backward = staticmethod(activations.sigmoid), staticmethod(activations.sigmoid_backward)
    saves_out = True


class Tanh(Function):
    """The hyperbolic tangent: :func:`activations.tanh`."""

    op, op_backward = staticmethod(activations.tanh), staticmethod(activations.tanh_backward)
    saves_out = True


class ScaledTanh(Function):
    """LeNet-5's 1.7159 tanh(2x/3): :func:`activations.scaled_tanh`. (torch has none; `torch_layers` has.)"""

    op, op_backward = staticmethod(activations.scaled_tanh), staticmethod(activations.scaled_tanh_backward)
    saves_out = True


class GELU(Function):
    """x Φ(x): :func:`activations.gelu`."""

    op, op_backward = staticmethod(activations.gelu), staticmethod(activations.gelu_backward)

    def __init__(self, approximate="none"):
        super().__init__(approximate=approximate)


class Softmax(Function):
    """exp(x) over its sum along `dim`: :func:`activations.softmax`. Not before a loss that takes scores."""

    op, op_backward = staticmethod(activations.softmax), staticmethod(activations.softmax_backward)
    saves_out = True

    def __init__(self, dim):
        super().__init__(dim=dim)


class LogSoftmax(Function):
    """The logarithm of softmax: :func:`activations.log_softmax`."""

    op, op_backward = staticmethod(activations.log_softmax), staticmethod(activations.log_softmax_backward)
    saves_out = True

    def __init__(self, dim):
        super().__init__(dim=dim)


class Dropout(Module):
    """Set each number to 0 with probability p, while training: :func:`activations.dropout`.

    Parameters
    ----------
    p : float, in [0, 1]
    rng : np.random.Generator, optional
        What is drawn from; ``layer.rng = ...`` sets it later, and :meth:`reset_parameters` gives each dropout a
        generator of its own. Without one, nothing can be repeated.
    """

    def __init__(self, p=0.5, *, rng=None):
        if not 0 <= p <= 1:
            raise ValueError(f"`p` is {p}; the probability of dropping a number must lie between 0 and 1")
        self.p, self.rng = p, rng

    def _draw(self, rng):
        self.rng = rng.spawn(1)[0]

    def forward(self, x):
        out, mask = activations.dropout(x, self.p, self.training, rng=self.rng, return_mask=True)
        self.keep(mask)
        return out

    def backward(self, grad_output):
        mask, = self.kept()
        return activations.dropout_backward(grad_output, mask, self.p)

    def extra_repr(self):
        return f"p={self.p}"
