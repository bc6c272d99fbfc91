"""What comes out of the stages of a net."""

from cnnlib import _array
from cnnlib.inspection._engine import check_batch, check_ran, recorded, run, undisturbed


def activations(net, x, stages):
    """Return what comes out of some stages of a net, from one forward pass in evaluation.

    Parameters
    ----------
    net : layers.Module or torch.nn.Module
    x : array of shape (N, C, H, W)
    stages : list of str
        Names of stages; a dot leads into a stage that has stages itself: "conv3_x.conv3_1.residual.body". Of a net
        with heads "inception5b" is the trunk's.

    Returns
    -------
    dict of stage -> array
        In the order of `stages`; tensors are detached.

    Raises
    ------
    ValueError
        The net has no stage of a name.

    Examples
    --------
    >>> import numpy as np
    >>> from cnnlib import layers
    >>> net = layers.Sequential({"relu": layers.ReLU(), "flatten": layers.Flatten()})
    >>> activations(net, np.array([[[[-1.0, 2.0]]]]), ["relu", "flatten"])["flatten"]
    array([[0., 2.]])
    """
    check_batch(net, x)
    if isinstance(stages, str):
        raise TypeError(f"`stages` is {stages!r}; it must be a list of names: [{stages!r}]")
    with undisturbed(net), recorded(net, stages) as found:
        run(net, x)
    check_ran(stages, found)
    return {stage: found[stage].detach() if _array.is_torch(found[stage]) else found[stage] for stage in stages}
