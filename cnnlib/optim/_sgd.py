"""Gradient descent, with momentum."""

from cnnlib.optim._optimizer import Optimizer


class SGD(Optimizer):
    """Step against the gradient; with momentum, against what is left of all gradients so far.

    .. math:: v \\leftarrow m\\, v + (1 - d)\\, g, \\qquad w \\leftarrow w - \\eta\\, v

    with g the gradient plus weight_decay times w; with `nesterov` the step is g + m v.

    Parameters
    ----------
    params : list of parameters, or of groups
    lr : float
        η.
    momentum : float
        m, the part of the old direction that is kept.
    dampening : float
        d. Not at the first step, where v is g.
    weight_decay : float
        Pulls every weight towards 0.
    nesterov : bool

    References
    ----------
    .. [1] Sutskever, Martens, Dahl & Hinton, On the importance of initialization and momentum in deep learning,
       ICML 2013. proceedings.mlr.press/v28/sutskever13.html

    Examples
    --------
    >>> import numpy as np
    >>> from cnnlib.layers import Parameter
    >>> weight = Parameter(np.array([1.0]))
    >>> optimizer = SGD([weight], lr=0.1, momentum=0.9)
    >>> for _ in range(2):
    ...     weight.grad = 2 * weight.data
    ...     optimizer.step()
    >>> weight.data  # 1 - 0.1 * 2 = 0.8, then 0.8 - 0.1 * (0.9 * 2 + 1.6)
    array([0.46])
    """

    def __init__(self, params, lr=1e-3, momentum=0.0, dampening=0.0, weight_decay=0.0, nesterov=False):
        if nesterov and (momentum <= 0 or dampening):
            raise ValueError(f"`nesterov` needs a momentum above 0 and no dampening; they are {momentum} and "
                             f"{dampening}")
        super().__init__(params, lr=lr, momentum=momentum, dampening=dampening, weight_decay=weight_decay,
                         nesterov=nesterov)

    def update(self, data, grad, state, group):
        momentum = group["momentum"]
        if group["weight_decay"]:
            grad = grad + group["weight_decay"] * data
        if momentum:
            velocity = state.get("momentum_buffer")
            if velocity is None:
                velocity = state["momentum_buffer"] = grad * 1
            else:
                velocity *= momentum
                velocity += (1 - group["dampening"]) * grad if group["dampening"] else grad
            grad = grad + momentum * velocity if group["nesterov"] else velocity
        data -= group["lr"] * grad
