"""Pooling: each map made smaller by itself, window by window, without a parameter.

The maximum keeps whether something was there, the average how much of it, the L\\ :sub:`p` norm something between;
the adaptive forms choose the windows from the size that is wanted. Words and meaning are torch.nn.functional's.
"""

from cnnlib.pool._windows import as_output_size, make_windows
from cnnlib.pool.adaptive import adaptive_avg_pool2d, adaptive_avg_pool2d_backward
from cnnlib.pool.average import avg_pool2d, avg_pool2d_backward, lp_pool2d, lp_pool2d_backward
from cnnlib.pool.maximum import max_pool2d, max_pool2d_backward, max_pool2d_with_winners

__all__ = [
    "adaptive_avg_pool2d", "adaptive_avg_pool2d_backward", "as_output_size", "avg_pool2d", "avg_pool2d_backward",
    "lp_pool2d", "lp_pool2d_backward", "make_windows", "max_pool2d", "max_pool2d_backward", "max_pool2d_with_winners",
]
