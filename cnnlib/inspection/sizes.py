"""How large the numbers are that a net passes on, stage by stage: whether its first weights keep their size."""

import numpy as np

from cnnlib import _array


def output_sizes(net, x, kind=None):
    """Return the size of what each stage of a net gives for `x`: the root of its mean square.

    Parameters
    ----------
    net : layers.Sequential
        Run as it is, in training or evaluation.
    x : array of shape (N, ...)
    kind : class of layer, optional
        Only stages of this kind; None takes all.

    Returns
    -------
    array of float64, one number for each stage

    Raises
    ------
    ValueError
        The net has no stage of this kind.

    Notes
    -----
    Derived in notebooks/33, eq. 13.

    Examples
    --------
    >>> from cnnlib.layers import Identity, ReLU, Sequential
    >>> output_sizes(Sequential(Identity(), ReLU()), np.array([[3.0, -1.0]])).round(3)
    array([2.236, 2.121])
    """
    found = []
    for stage in net:
        x = stage(x)
        if kind is None or isinstance(stage, kind):
            found.append(float(np.sqrt(np.mean(np.square(_array.to_numpy(x), dtype=np.float64)))))
    if not found:
        raise ValueError(f"`net` has no stage of `kind` {kind.__name__ if kind else kind}; it has "
                         f"{', '.join(sorted({type(stage).__name__ for stage in net})) or 'none at all'}")
    return np.array(found)
