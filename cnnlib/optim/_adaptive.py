"""Optimisers that give each weight a step size of its own: gradients are divided by how large they usually are."""

from cnnlib._array import library
from cnnlib.optim._optimizer import Optimizer


class Adagrad(Optimizer):
    """Divide by the root of the sum of all squared gradients: steps become ever shorter.

    Parameters
    ----------
    params : list of parameters, or of groups
    lr : float
    lr_decay : float
        Step t has the size lr / (1 + (t - 1) lr_decay).
    weight_decay : float
    initial_accumulator_value : float
        Where the sum begins.
    eps : float

    References
    ----------
    .. [1] Duchi, Hazan & Singer, Adaptive subgradient methods for online learning and stochastic optimization,
       JMLR 12, 2011. jmlr.org/papers/v12/duchi11a.html
    """

    def __init__(self, params, lr=1e-2, lr_decay=0.0, weight_decay=0.0, initial_accumulator_value=0.0, eps=1e-10):
        super().__init__(params, lr=lr, lr_decay=lr_decay, weight_decay=weight_decay,
                         initial_accumulator_value=initial_accumulator_value, eps=eps)

    def update(self, data, grad, state, group):
        if not state:
            state.update(step=0, sum=data * 0 + group["initial_accumulator_value"])
        state["step"] += 1
        if group["weight_decay"]:
            grad = grad + group["weight_decay"] * data
        state["sum"] += grad * grad
        lr = group["lr"] / (1 + (state["step"] - 1) * group["lr_decay"])
        data -= lr * grad / (library(data=data).sqrt(state["sum"]) + group["eps"])


class RMSprop(Optimizer):
    """Divide by the root of a running mean of the squared gradients.

    Parameters
    ----------
    params : list of parameters, or of groups
    lr : float
    alpha : float
        The part of the old mean that is kept.
    eps : float
    weight_decay : float
    momentum : float
    centered : bool
        Take the variance of the gradients in place of their mean square.

    References
    ----------
    .. [1] Tieleman & Hinton, Lecture 6.5, COURSERA: Neural networks for machine learning, 2012.
    """

    def __init__(self, params, lr=1e-2, alpha=0.99, eps=1e-8, weight_decay=0.0, momentum=0.0, centered=False):
        super().__init__(params, lr=lr, alpha=alpha, eps=eps, weight_decay=weight_decay, momentum=momentum,
                         centered=centered)

    def update(self, data, grad, state, group):
        alpha = group["alpha"]
        if not state:
            state["square_avg"] = data * 0
            if group["momentum"]:
                state["momentum_buffer"] = data * 0
            if group["centered"]:
                state["grad_avg"] = data * 0
        if group["weight_decay"]:
            grad = grad + group["weight_decay"] * data
        mean_square = state["square_avg"]
        mean_square *= alpha
        mean_square += (1 - alpha) * grad * grad
        if group["centered"]:
            mean = state["grad_avg"]
            mean += (1 - alpha) * (grad - mean)
            mean_square = mean_square - mean * mean
        step = grad / (library(data=data).sqrt(mean_square) + group["eps"])
        if group["momentum"]:
            velocity = state["momentum_buffer"]
            velocity *= group["momentum"]
            velocity += step
            step = velocity
        data -= group["lr"] * step


class Adam(Optimizer):
    """Running means of the gradients and of their squares, each divided by the weight it has gathered so far.

    .. math:: w \\leftarrow w - \\eta\\, \\frac{m / (1 - \\beta_1^t)}{\\sqrt{v / (1 - \\beta_2^t)} + \\epsilon}

    Parameters
    ----------
    params : list of parameters, or of groups
    lr : float
        η: about how far each weight moves in a step, whatever the size of its gradient.
    betas : (float, float)
        What is kept of the old mean m of the gradients, and of the mean v of their squares.
    eps : float
    weight_decay : float
        Added to the gradient, and so divided with it; :class:`AdamW` keeps it apart.

    References
    ----------
    .. [1] Kingma & Ba, Adam: a method for stochastic optimization, ICLR 2015. doi:10.48550/arXiv.1412.6980
    """

    decoupled = False

    def __init__(self, params, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.0):
        super().__init__(params, lr=lr, betas=tuple(betas), eps=eps, weight_decay=weight_decay)

    def update(self, data, grad, state, group):
        beta1, beta2 = group["betas"]
        if not state:
            state.update(step=0, exp_avg=data * 0, exp_avg_sq=data * 0)
        state["step"] += 1
        if group["weight_decay"] and self.decoupled:
            data *= 1 - group["lr"] * group["weight_decay"]
        elif group["weight_decay"]:
            grad = grad + group["weight_decay"] * data
        mean, mean_square = state["exp_avg"], state["exp_avg_sq"]
        mean += (1 - beta1) * (grad - mean)
        mean_square *= beta2
        mean_square += (1 - beta2) * grad * grad
        gathered1, gathered2 = 1 - beta1 ** state["step"], 1 - beta2 ** state["step"]
        scale = library(data=data).sqrt(mean_square) / gathered2**0.5 + group["eps"]
        data -= group["lr"] / gathered1 * mean / scale


class AdamW(Adam):
    """:class:`Adam` with a weight decay of its own: every step shrinks each weight by lr * weight_decay of itself.

    References
    ----------
    .. [1] Loshchilov & Hutter, Decoupled weight decay regularization, ICLR 2019. doi:10.48550/arXiv.1711.05101
    """

    decoupled = True

    def __init__(self, params, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=1e-2):
        super().__init__(params, lr, betas, eps, weight_decay)
