"""Losses, each with its gradient: how far an output is from what it should be, in one number.

Every loss takes NumPy arrays or torch tensors, `reduction` ("mean", "sum" or "none"), and scores rather than
probabilities where it speaks of probabilities. A backward returns the gradients of `x` and `target`, in this order;
weights and other settings come by name and have none. Derived in notebooks/33.
"""

from cnnlib.losses._binary import (
    binary_cross_entropy_with_logits,
    binary_cross_entropy_with_logits_backward,
    focal_loss,
    focal_loss_backward,
)
from cnnlib.losses._cross_entropy import cross_entropy, cross_entropy_backward
from cnnlib.losses._mse import mse_loss, mse_loss_backward
from cnnlib.losses._rubbish import rubbish_cross_entropy, rubbish_cross_entropy_backward

__all__ = ["binary_cross_entropy_with_logits", "binary_cross_entropy_with_logits_backward", "cross_entropy",
           "cross_entropy_backward", "focal_loss", "focal_loss_backward", "mse_loss", "mse_loss_backward",
           "rubbish_cross_entropy", "rubbish_cross_entropy_backward"]
