"""Stages one after the other: what most nets are."""

from cnnlib.layers._stages import NAMED, Container, check_entered, in_stage, named
from cnnlib.layers.shapes import tell_smallest


class Sequential(Container):
    """Stages one after the other.

    Parameters
    ----------
    *stages : layers, named "0", "1", ...; or one dict of name -> layer

    Notes
    -----
    ``net["conv1"]``, ``net[0]`` and ``net.conv1`` are the first stage. A stage that is itself a Sequential has stages
    that are named by dots: "features.conv1".

    NumPy in float32 is fastest on small pictures when samples lie innermost in memory, and every layer keeps the order
    of its input: ``net(batch_innermost(x))``.

    Examples
    --------
    >>> import numpy as np
    >>> from cnnlib.layers import Conv2d, Flatten, Linear, ReLU
    >>> rng = np.random.default_rng(0)
    >>> net = Sequential({"conv": Conv2d(1, 4, 3, rng=rng), "relu": ReLU(), "flatten": Flatten(),
    ...                   "fc": Linear(4 * 6 * 6, 10, rng=rng)})
    >>> x = np.zeros((2, 1, 8, 8), dtype="float32")
    >>> net(x).shape, net.forward_to(x, "relu").shape
    ((2, 10), (2, 4, 6, 6))
    >>> grad_conv = net.backward(np.ones((2, 4, 6, 6), dtype="float32"), down_to="conv")  # from relu, the last that ran
    """

    def __init__(self, *stages):
        self._ran = ()  # the names of the stages that the last forward ran
        for name, stage in named(stages).items():
            self._add(name, stage)

    def forward(self, x):
        return self._run(x, self._names())

    def forward_to(self, x, stage):
        """Return what comes out of the stage called `stage`; those after it do not run.

        A backward that follows begins there.
        """
        name, below = self._find(stage)
        names = self._names()
        before = names[:names.index(name)]
        if not below:
            return self._run(x, [*before, name])
        check_entered(stage, name, self[name])
        x = in_stage(name, self[name], self[name].forward_to, self._run(x, before), below)
        self._ran = (*before, name)
        return x

    def backward(self, grad_output, down_to=None):
        """Return the gradient of the input, from that of the last output.

        Parameters
        ----------
        grad_output : array
        down_to : str, optional
            The name of a stage. Then only the stages after it run backward, and what is returned is the gradient of
            what came *out* of that stage: of what :meth:`forward_to` returns.
        """
        target, below = (None, "") if down_to is None else self._find(down_to)
        self._check_ran(target, down_to)
        for name in reversed(self._ran):
            if name == target:
                return self._backward(name, grad_output, down_to=below) if below else grad_output
            grad_output = self._backward(name, grad_output)
        return grad_output

    def backward_parameters(self, grad_output):
        self._check_ran(None, None)
        first = next((name for name in self._ran if getattr(self, name).parameters()), None)
        for name in reversed(self._ran if first else ()):
            if name == first:
                stage = getattr(self, name)
                in_stage(name, stage, stage.backward_parameters, grad_output)
                return
            grad_output = self._backward(name, grad_output)

    def _run(self, x, names):
        self._ran, shape = (), x.shape
        try:
            for name in names:
                x = self._forward(name, x)
        except NAMED as error:
            tell_smallest(self, shape, error)
            raise
        self._ran = tuple(names)
        return x

    def _backward_to(self, grad_output, down_to):
        return self.backward(grad_output, down_to)

    def _check_ran(self, target, down_to):
        if not self._ran and self._names():
            raise RuntimeError("backward came before forward; call the net on a batch first")
        if target is not None and target not in self._ran:
            raise ValueError(f"`down_to` is {down_to!r}, which the last forward did not reach; it ran "
                             f"{', '.join(self._ran)}")

    def __getitem__(self, key):
        """Return a stage by its name or number; a slice gives a Sequential of the same layers."""
        if isinstance(key, slice):
            return Sequential(dict(self.named_children()[key]))
        return dict(self.named_children())[key] if isinstance(key, str) else self.named_children()[key][1]

    def __len__(self):
        return len(self.named_children())

    def __iter__(self):
        return iter([stage for _, stage in self.named_children()])
