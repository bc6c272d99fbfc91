"""The experiment of 1986: does a net of two hidden units learn whether a row is its own mirror image? Notebooks/10."""

from itertools import product

import numpy as np

from cnnlib import layers, optim


def symmetry_patterns(size=6):
    """Return all rows of zeros and ones, (2**size, size), and (2**size, 1) ones where a row is symmetric, float32.

    Examples
    --------
    >>> x, wanted = symmetry_patterns()
    >>> x.shape, int(wanted.sum()), x[wanted[:, 0] == 1][1]
    ((64, 6), 8, array([0., 0., 1., 1., 0., 0.], dtype=float32))
    """
    x = np.array(list(product([0, 1], repeat=size)), dtype="float32")
    return x, (x == x[:, ::-1]).all(axis=1, keepdims=True).astype("float32")


def learn_symmetry(x, wanted, *, eps, seed, sweeps=1425):
    """Train the net of the paper on all patterns at once, sweep after sweep; return it.

    Parameters
    ----------
    x, wanted : arrays of shape (N, size) and (N, 1), float32
    eps : float
        The paper's ε, for half the squared error, summed over the patterns: its figure is 0.1, for inputs 0 and 1.
    seed : int
        Draws the first weights and biases evenly from ±0.3.
    sweeps : int
        As many as the paper's run needed.

    Returns
    -------
    layers.Sequential, of the stages "hidden", "squash", "output" and "answer"

    References
    ----------
    .. [1] Rumelhart, Hinton & Williams, Learning representations by back-propagating errors, Nature 323, 1986.
       doi:10.1038/323533a0
    """
    net = layers.Sequential({"hidden": layers.Linear(x.shape[1], 2), "squash": layers.Sigmoid(),
                             "output": layers.Linear(2, 1), "answer": layers.Sigmoid()})
    rng = np.random.default_rng(seed)
    for parameter in net.parameters():
        parameter.set(rng.uniform(-0.3, 0.3, parameter.shape))
    loss = layers.MSELoss(reduction="sum")
    optimizer = optim.SGD(net.parameters(), lr=eps / 2, momentum=0.9)  # our loss lacks the paper's ½
    for _ in range(sweeps):
        loss(net(x), wanted)
        net.zero_grad()
        net.backward(loss.backward())
        optimizer.step()
    return net
