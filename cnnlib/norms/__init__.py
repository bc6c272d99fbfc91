"""Normalisation: batch, layer and group norm are one idea over three sets of axes; local response norm is another.

Every operation takes NumPy arrays or torch tensors. Derived in notebooks/32.
"""

from cnnlib.norms._batch import batch_norm, batch_norm_backward, updated_stats
from cnnlib.norms._group import group_norm, group_norm_backward
from cnnlib.norms._layer import layer_norm, layer_norm_backward
from cnnlib.norms._local_response import local_response_norm, local_response_norm_backward

__all__ = ["batch_norm", "batch_norm_backward", "group_norm", "group_norm_backward", "layer_norm",
           "layer_norm_backward", "local_response_norm", "local_response_norm_backward", "updated_stats"]
