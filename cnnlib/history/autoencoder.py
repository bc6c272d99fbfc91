"""The deep autoencoder of 2006: a stack of RBMs, unrolled into a net that back-propagation then tunes. Notebooks/10."""

from itertools import pairwise

from cnnlib import layers
from cnnlib.activations import sigmoid
from cnnlib.history.rbm import RBM
from cnnlib.initializers import redraw

RATE, CODE_RATE = 0.1, 0.01  # of the RBMs; linear units want less


def pretrain(x, sizes, *, epochs, rng):
    """Train one RBM after another, each on what the hidden units of the one below make of the data.

    Parameters
    ----------
    x : array of shape (N, sizes[0]), in [0, 1]
    sizes : sequence of int
        Of the layers, from the pixels to the code, whose units are linear.
    epochs : int
        For each RBM.
    rng : numpy Generator

    Returns
    -------
    list of RBM

    References
    ----------
    .. [1] Hinton & Salakhutdinov, Reducing the dimensionality of data with neural networks, Science 313, 2006.
       doi:10.1126/science.1127647
    """
    rbms = []
    for k, (below, above) in enumerate(pairwise(sizes)):
        code = k == len(sizes) - 2
        rbm = RBM(below, above, rng=rng, linear=code).fit(x, epochs=epochs, lr=CODE_RATE if code else RATE)
        rbms.append(rbm)
        x = rbm.hidden(x)
    return rbms


def small_normal(shape, rng):
    """Draw first weights as one did then: normal, of spread 0.1, whatever the layer's size."""
    return rng.normal(0, 0.1, shape)


def autoencoder(sizes, *, rng, activation=layers.Sigmoid, draw=small_normal):
    """Return a net from pixels to a code and back: stages "encoder" and "decoder", whose output are logits.

    The code is linear; `activation` follows all other layers but the last, whose sigmoid is in the loss
    (:class:`layers.BCEWithLogitsLoss`) and in :func:`reconstruct`. `draw(shape, rng)` draws the first weights.
    """
    def stack(sizes):
        stages = [stage for pair in pairwise(sizes) for stage in (layers.Linear(*pair), activation())]
        return layers.Sequential(*stages[:-1])

    return redraw(layers.Sequential({"encoder": stack(sizes), "decoder": stack(sizes[::-1])}), draw, rng)


def unroll(net, rbms):
    """Write the RBMs' weights into an :func:`autoencoder` of their sizes: upwards, then transposed; return the net."""
    up, down = ([stage for stage in net[half] if isinstance(stage, layers.Linear)] for half in ("encoder", "decoder"))
    if [stage.weight.shape for stage in up] != [rbm.weight.shape for rbm in rbms]:
        raise ValueError(f"the RBMs' weights are {[rbm.weight.shape for rbm in rbms]}, the encoder's "
                         f"{[stage.weight.shape for stage in up]}; make the net with the sizes of `pretrain`")
    for rbm, encode, decode in zip(rbms, up, reversed(down)):
        for parameter, values in ((encode.weight, rbm.weight), (encode.bias, rbm.hidden_bias),
                                  (decode.weight, rbm.weight.T), (decode.bias, rbm.visible_bias)):
            parameter.set(values)
    return net


def reconstruct(net, x):
    """Return what an :func:`autoencoder` makes of the rows of `x`, in [0, 1]."""
    return sigmoid(net(x))
