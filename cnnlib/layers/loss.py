"""Losses as layers: called on (scores, target) they return the loss; their backward begins the way back."""

from cnnlib import losses
from cnnlib.layers._module import Buffer, Module
from cnnlib.losses._cross_entropy import CrossEntropy


class Loss(Module):
    """A loss, its backward, and settings by name; of those in `arrays`, each that is not None is kept as a Buffer.

    A loss of your own needs no more than forward(x, target) and backward(grad_output=1.0).

    Examples
    --------
    >>> import numpy as np
    >>> class AbsoluteError(Loss):
    ...     def forward(self, x, target):
    ...         self.keep(x - target)
    ...         return abs(x - target).mean()
    ...     def backward(self, grad_output=1.0):
    ...         difference, = self.kept()
    ...         return grad_output * np.sign(difference) / difference.size
    >>> loss = AbsoluteError()
    >>> float(loss(np.array([3.0, 1.0]), np.array([1.0, 1.0]))), loss.backward()
    (1.0, array([0.5, 0. ]))
    """

    op = op_backward = None

    def __init__(self, *, arrays=None, **settings):
        self.settings = settings
        self._arrays = tuple(arrays or {})
        for name, value in (arrays or {}).items():
            setattr(self, name, None if value is None else Buffer(value))

    def _all_settings(self):
        weights = {name: getattr(self, name) for name in self._arrays}
        return self.settings | {name: None if value is None else value.data for name, value in weights.items()}

    def forward(self, x, target):
        """Return the loss of x, usually scores, against the target."""
        loss = type(self).op(x, target, **self._all_settings())
        self.keep(x, target)
        return loss

    def backward(self, grad_output=1.0):
        """Return the gradient of x."""
        return type(self).op_backward(grad_output, *self.kept(), **self._all_settings())[0]

    def extra_repr(self):
        return ", ".join(f"{name}={value!r}" for name, value in self.settings.items())


class MSELoss(Loss):
    """The mean squared error: :func:`losses.mse_loss`."""

    op, op_backward = staticmethod(losses.mse_loss), staticmethod(losses.mse_loss_backward)

    def __init__(self, *, reduction="mean"):
        super().__init__(reduction=reduction)


class CrossEntropyLoss(Loss):
    """The cross-entropy of scores for several classes: :func:`losses.cross_entropy`.

    Parameters
    ----------
    weight : array of shape (C,), optional
    ignore_index, reduction, label_smoothing
        As there.

    Examples
    --------
    >>> import numpy as np
    >>> loss = CrossEntropyLoss()
    >>> round(float(loss(np.zeros((1, 4)), np.array([2]))), 4), loss.backward()
    (1.3863, array([[ 0.25,  0.25, -0.75,  0.25]]))
    """

    def __init__(self, weight=None, *, ignore_index=-100, reduction="mean", label_smoothing=0.0):
        super().__init__(arrays=dict(weight=weight), ignore_index=ignore_index, reduction=reduction,
                         label_smoothing=label_smoothing)

    def forward(self, x, target):
        batch = CrossEntropy(x, target, **self._all_settings())
        self.keep(batch)  # backward need not check it and take logarithms again
        return batch.loss()

    def backward(self, grad_output=1.0):
        batch, = self.kept()
        return batch.gradients(grad_output)[0]


class BCEWithLogitsLoss(Loss):
    """The cross-entropy of scores for yes or no: :func:`losses.binary_cross_entropy_with_logits`."""

    op = staticmethod(losses.binary_cross_entropy_with_logits)
    op_backward = staticmethod(losses.binary_cross_entropy_with_logits_backward)

    def __init__(self, weight=None, *, reduction="mean", pos_weight=None):
        super().__init__(arrays=dict(weight=weight, pos_weight=pos_weight), reduction=reduction)


class FocalLoss(Loss):
    """The loss that looks away from what is easy: :func:`losses.focal_loss`. (torch has none; `torch_layers` has.)"""

    op, op_backward = staticmethod(losses.focal_loss), staticmethod(losses.focal_loss_backward)

    def __init__(self, *, alpha=0.25, gamma=2.0, reduction="mean"):
        super().__init__(alpha=alpha, gamma=gamma, reduction=reduction)


class RubbishCrossEntropyLoss(Loss):
    """LeNet-5's loss: :func:`losses.rubbish_cross_entropy`. (torch has none; `torch_layers` has.)"""

    op = staticmethod(losses.rubbish_cross_entropy)
    op_backward = staticmethod(losses.rubbish_cross_entropy_backward)

    def __init__(self, *, penalty=0.1, reduction="mean"):
        super().__init__(penalty=penalty, reduction=reduction)
