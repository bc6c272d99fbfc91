"""Machines of the history, each a short file that runs: what it is, its rule, and the paper that brought it.

NumPy, in double precision. What became a layer, a loss or an optimiser of today stands where those stand.
"""

from cnnlib.history import ilsvrc
from cnnlib.history.adaline import Adaline, adaline_step, least_squares
from cnnlib.history.perceptron import Perceptron, perceptron_step

__all__ = ["Adaline", "Perceptron", "adaline_step", "ilsvrc", "least_squares", "perceptron_step"]
