"""What recipes of either engine share."""

from functools import partial

import numpy as np

from cnnlib import layers, optim


def standardised(x, mean, deviation):
    """Take each colour's mean from x (N, C, H, W) and divide by its deviation, in place: pictures are large."""
    for step, values in ((np.subtract, mean), (np.divide, deviation)):
        step(x, np.array(values, x.dtype)[:, None, None], out=x)
    return x


def sgd(nn, parameters, **settings):
    """Return stochastic gradient descent of the engine `nn`: optim.SGD, or torch.optim.SGD."""
    if nn is layers:
        return optim.SGD(parameters, **settings)
    import torch

    return torch.optim.SGD(parameters, **settings)


def schedule(nn, name, **settings):
    """Return the schedule of this name in the engine `nn`, with its settings, as fit takes it.

    Settings that are functions are called with the number of steps in all.
    """
    if nn is layers:
        made = getattr(optim, name)
    else:
        import torch

        made = getattr(torch.optim.lr_scheduler, name)
    return partial(_scheduled, made, settings)


def sgd_with_cosine(nn, net, lr):
    """Return SGD with momentum for a net of either engine, and the schedule that takes its rate to zero."""
    return (sgd(nn, net.parameters(), lr=lr, momentum=0.9, weight_decay=5e-4),
            schedule(nn, "CosineAnnealingLR", T_max=lambda steps: steps))


def _scheduled(made, settings, optimizer, steps):
    return made(optimizer, **{key: value(steps) if callable(value) else value for key, value in settings.items()})
