"""Patterns of two inputs of −1 and +1, and all sixteen functions of them."""

import itertools

import numpy as np

CORNERS = np.array(list(itertools.product([-1, 1], repeat=2)))
XOR = np.array([-1, 1, 1, -1])
FUNCTIONS = np.array(list(itertools.product([-1, 1], repeat=4)))  # each a row of answers to the four corners
