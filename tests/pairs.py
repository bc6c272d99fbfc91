"""Every forward/backward pair outside convolution and pooling, as one table for the battery in test_pairs.py."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from cnnlib import activations, linear, losses, norms

N, C, H, W = X_SHAPE = (4, 6, 5, 3)


@dataclass
class Pair:
    """An operation, its backward, and what draws its arguments for X_SHAPE: float64 arrays, None, settings, labels."""

    op: Callable
    backward: Callable
    args: Callable
    kwargs: dict
    integers: bool = False  # whether integer x is defined
    per_sample: bool = True  # whether the batch may be empty without more ado

    @property
    def is_loss(self):
        return self.op.__module__.startswith("cnnlib.losses")


def pair(module, name, *settings, more=lambda rng: (), integers=False, **kwargs):
    """Make a Pair of op(x, *settings, *more, **kwargs)."""
    return Pair(getattr(module, name), getattr(module, f"{name}_backward"),
                lambda rng: [rng.standard_normal(X_SHAPE), *settings, *more(rng)], kwargs, integers)


def per_channel(rng):
    return rng.standard_normal(C), rng.standard_normal(C)


def labels(rng):
    return (rng.integers(0, C, (N, H, W)),)


def probabilities(rng):
    return (activations.softmax(rng.standard_normal(X_SHAPE), 1),)


def answers(rng):
    return (rng.integers(0, 2, X_SHAPE).astype(float),)


PAIRS = {
    "relu": pair(activations, "relu", integers=True),
    "leaky_relu": pair(activations, "leaky_relu", 0.2),
    "sigmoid": pair(activations, "sigmoid", integers=True),
    "tanh": pair(activations, "tanh", integers=True),
    "scaled_tanh": pair(activations, "scaled_tanh", integers=True),
    "gelu": pair(activations, "gelu"),
    "gelu, tanh": pair(activations, "gelu", "tanh"),
    "softmax": pair(activations, "softmax", 1),
    "softmax, last": pair(activations, "softmax", -1),
    "log_softmax": pair(activations, "log_softmax", 1),
    "linear": pair(linear, "linear", more=lambda rng: (rng.standard_normal((2, W)), rng.standard_normal(2)),
                   integers=True),
    "linear, no bias": pair(linear, "linear", more=lambda rng: (rng.standard_normal((2, W)), None), integers=True),
    "batch_norm": pair(norms, "batch_norm", None, None, more=per_channel, training=True),
    "batch_norm, plain": pair(norms, "batch_norm", training=True, more=lambda rng: (None,) * 4),
    "batch_norm, eval": pair(norms, "batch_norm", more=lambda rng: (
        rng.standard_normal(C), rng.uniform(0.5, 2, C), *per_channel(rng))),
    "layer_norm": pair(norms, "layer_norm", (H, W), more=lambda rng: (
        rng.standard_normal((H, W)), rng.standard_normal((H, W)))),
    "layer_norm, plain": pair(norms, "layer_norm", (C, H, W), more=lambda rng: (None, None)),
    "group_norm": pair(norms, "group_norm", 3, more=per_channel),
    "group_norm, plain": pair(norms, "group_norm", 2, more=lambda rng: (None, None)),
    "local_response_norm": pair(norms, "local_response_norm", 4, 0.5, 0.75, 2.0),
    "mse_loss": pair(losses, "mse_loss", more=lambda rng: (rng.standard_normal(X_SHAPE),), reduction="none"),
    "mse_loss, mean": pair(losses, "mse_loss", more=lambda rng: (rng.standard_normal(X_SHAPE),)),
    "cross_entropy": pair(losses, "cross_entropy", more=labels),
    "cross_entropy, each": pair(losses, "cross_entropy", more=labels, reduction="none", label_smoothing=0.1),
    "cross_entropy, soft": pair(losses, "cross_entropy", more=probabilities, reduction="sum", label_smoothing=0.2),
    "binary_cross_entropy": pair(losses, "binary_cross_entropy_with_logits", reduction="none", pos_weight=3.0,
                                 more=lambda rng: (rng.uniform(0.01, 0.99, X_SHAPE),)),
    "binary_cross_entropy, sum": pair(losses, "binary_cross_entropy_with_logits", reduction="sum",
                                      more=lambda rng: (rng.uniform(0.01, 0.99, X_SHAPE),)),
    "focal_loss": pair(losses, "focal_loss", more=answers, reduction="none"),
    "focal_loss, mean": pair(losses, "focal_loss", more=answers, alpha=None, gamma=0.5),
    "rubbish_cross_entropy": pair(losses, "rubbish_cross_entropy", more=labels, reduction="none"),
    "rubbish_cross_entropy, mean": pair(losses, "rubbish_cross_entropy", more=labels, penalty=-1.0),
}
for name in ("batch_norm", "batch_norm, plain", *(name for name in PAIRS if "mean" in name), "cross_entropy"):
    PAIRS[name].per_sample = False


def floats(args, change):
    """Return the arguments with every float array changed."""
    return [change(a) if isinstance(a, np.ndarray) and a.dtype.kind == "f" else a for a in args]
