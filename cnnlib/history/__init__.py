"""Machines of the history, each a short file that runs: what it is, its rule, and the paper that brought it.

NumPy, in double precision. What became a layer, a loss or an optimiser of today stands where those stand.
"""

from cnnlib.history import ilsvrc, timeline, uses
from cnnlib.history.adaline import Adaline, adaline_step, least_squares
from cnnlib.history.autoencoder import autoencoder, pretrain, reconstruct, unroll
from cnnlib.history.madaline import Madaline, madaline_step
from cnnlib.history.pca import pca
from cnnlib.history.perceptron import Perceptron, perceptron_step
from cnnlib.history.rbm import RBM
from cnnlib.history.symmetry import learn_symmetry, symmetry_patterns

__all__ = ["RBM", "Adaline", "Madaline", "Perceptron", "adaline_step", "autoencoder", "ilsvrc", "learn_symmetry",
           "least_squares", "madaline_step", "pca", "perceptron_step", "pretrain", "reconstruct", "symmetry_patterns",
           "timeline", "unroll", "uses"]
