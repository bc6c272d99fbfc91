"""Optimisers, which turn gradients into better weights, and schedules, which turn their step size.

Words and meaning are torch.optim's, and so is the order in which numbers are combined. An optimiser asks of a parameter
only ``data`` and ``grad``: those of `cnnlib.layers` have them, and those of torch.nn too. Derived in notebooks/33.
"""

from cnnlib.optim._adaptive import Adagrad, Adam, AdamW, RMSprop
from cnnlib.optim._schedules import CosineAnnealingLR, LinearLR, MultiStepLR, OneCycleLR, StepLR
from cnnlib.optim._sgd import SGD

__all__ = ["Adagrad", "Adam", "AdamW", "CosineAnnealingLR", "LinearLR", "MultiStepLR", "OneCycleLR", "RMSprop", "SGD",
           "StepLR"]
