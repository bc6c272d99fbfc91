"""What every layer is: a forward, a backward that remembers what forward saw, and arrays that are learnt."""

from math import prod

import numpy as np

from cnnlib import _array
from cnnlib.layers import _place


class Parameter:
    """An array that is learnt, and its gradient. Attributes of a layer that are of this class are found by their names.

    Parameters
    ----------
    data : array of float, NumPy or torch

    Attributes
    ----------
    data : array
    grad : array of its shape, or None
        What the backward passes since the last ``zero_grad`` add up to; None where there was none.
    """

    __slots__ = ("data", "grad")

    def __init__(self, data):
        if not (isinstance(data, np.ndarray) or _array.is_torch(data)) or "float" not in _array.dtype_name(data):
            kind = _array.dtype_name(data) if hasattr(data, "dtype") else type(data).__name__
            raise TypeError(f"`data` is {kind}; what is learnt must be an array of float: "
                            "np.asarray(data, dtype='float32') makes one")
        self.data, self.grad = data, None

    @property
    def shape(self):
        return tuple(self.data.shape)

    def numel(self):
        """Return how many numbers are learnt."""
        return prod(self.shape)

    def set(self, values):
        """Overwrite the array; one that takes no memory (:func:`layers.without_weights`) is replaced."""
        if isinstance(self.data, np.ndarray) and not self.data.flags.writeable:
            self.data = np.empty(self.shape, self.data.dtype)
        self.data[...] = _place.like(values, self.data)

    def add_grad(self, grad):
        """Add a gradient to those that came before."""
        if tuple(grad.shape) != self.shape:
            raise ValueError(f"`grad` has shape {tuple(grad.shape)}; that of the parameter is {self.shape}")
        self.grad = grad if self.grad is None else self.grad + grad

    def __repr__(self):
        return f"Parameter{self.shape} {_array.dtype_name(self.data)}"


class Buffer:
    """An array that belongs to a layer and is kept with its weights, but is not learnt: running means, targets."""

    __slots__ = ("data",)

    def __init__(self, data):
        self.data = data

    set = Parameter.set
    shape = Parameter.shape


class Module:
    """A layer, or a net of layers: :meth:`forward` computes, :meth:`backward` returns the gradient of its input.

    To write one of your own, give it a forward that stores what backward needs, and that backward. Attributes that are
    a :class:`Parameter`, a :class:`Buffer` or a Module are found by themselves, in the order in which they were set.

    Notes
    -----
    The words are torch.nn.Module's, the names in :meth:`state_dict` those of the layer's twin there. Torch records each
    step of a forward pass and finds the backward by itself; here each layer brings its own, and a net calls them from
    the last to the first. A layer remembers one forward pass, the last. Derived in notebooks/30.

    Examples
    --------
    A layer that multiplies each channel by a number, which is learnt:

    >>> import numpy as np
    >>> from cnnlib.layers import Module, Parameter
    >>> class Scale(Module):
    ...     def __init__(self, channels):
    ...         self.weight = Parameter(np.ones((channels, 1, 1), dtype="float32"))
    ...     def forward(self, x):
    ...         self.x = x
    ...         return x * self.weight.data
    ...     def backward(self, grad_output):
    ...         self.weight.add_grad((grad_output * self.x).sum(axis=(0, 2, 3)).reshape(-1, 1, 1))
    ...         return grad_output * self.weight.data
    >>> layer = Scale(3)
    >>> x = np.ones((2, 3, 4, 4), dtype="float32")
    >>> grad_x = layer.backward(np.ones_like(layer(x)))
    >>> layer.weight.grad.ravel(), layer.state_dict().keys()
    (array([32., 32., 32.], dtype=float32), dict_keys(['weight']))
    """

    training = True
    _kept = None

    # ---- what a layer does

    def forward(self, x):
        """Return the output for `x`, and keep what backward will need."""
        raise NotImplementedError(f"{type(self).__name__} has no forward")

    def backward(self, grad_output):
        """Return the gradient of the last forward's input; add those of the parameters to their ``grad``."""
        raise NotImplementedError(f"{type(self).__name__} has no backward")

    def backward_parameters(self, grad_output):
        """Do as :meth:`backward`, but return nothing: layers may then spare the gradient of their input.

        It is what a training step needs: nobody learns the pixels.
        """
        self.backward(grad_output)

    def __call__(self, *args):
        return self.forward(*args)

    def keep(self, *saved):
        """Store what backward will need."""
        self._kept = saved

    def kept(self):
        """Return what the last forward stored."""
        if self._kept is None:
            raise RuntimeError(f"{type(self).__name__}: backward came before forward; call the layer on a batch first")
        return self._kept

    def add_gradients(self, **grads):
        """Add to the gradients of the parameters of these names; a layer without one of them passes it over."""
        for name, grad in grads.items():
            parameter = getattr(self, name)
            if parameter is not None:
                parameter.add_grad(grad)

    # ---- what it is made of

    def named_children(self):
        """Return [(name, layer)] of the layers in this one, in the order in which they were set."""
        return [(name, value) for name, value in vars(self).items() if isinstance(value, Module)]

    def named_modules(self, prefix=""):
        """Return [(name, layer)] of this layer (called "") and all below it; names are joined by dots."""
        found = [(prefix, self)]
        for name, child in self.named_children():
            found += child.named_modules(f"{prefix}.{name}" if prefix else name)
        return found

    def modules(self):
        """Return this layer and all below it."""
        found = [self]
        for _, child in self.named_children():
            found += child.modules()
        return found

    def named_parameters(self):
        """Return [(name, Parameter)], in torch's order: a layer's own before those of the layers in it."""
        return self._named(Parameter)

    def parameters(self):
        """Return the :class:`Parameter` objects, which an optimiser takes."""
        return [value for module in self.modules() for value in vars(module).values() if isinstance(value, Parameter)]

    def buffers(self):
        """Return the :class:`Buffer` objects, which layers keep and nobody learns."""
        return [buffer for _, buffer in self._named(Buffer)]

    def gradients(self):
        """Return the gradients in the order of :meth:`parameters`, None where there is none yet."""
        return [parameter.grad for parameter in self.parameters()]

    def _named(self, *kinds):
        """Return [(name, value)] of the attributes of these kinds, here and below."""
        return [(f"{prefix}.{name}" if prefix else name, value) for prefix, module in self.named_modules()
                for kind in kinds for name, value in vars(module).items() if isinstance(value, kind)]

    # ---- training

    def zero_grad(self):
        """Forget all gradients."""
        for parameter in self.parameters():
            parameter.grad = None

    def train(self, mode=True):
        """Switch to training (dropout drops, batch norm takes the batch's statistics); return the layer itself."""
        for module in self.modules():
            module.training = bool(mode)
        return self

    def eval(self):
        """Switch to evaluation; return the layer itself."""
        return self.train(False)

    def reset_parameters(self, rng):
        """Draw all weights again from `rng`, a np.random.Generator; return the layer itself.

        Layers draw in the order of :meth:`modules`, so that one generator gives one net. (Without `rng`, a layer that
        is made draws its first weights from a new generator, others each time: there is no state that all share.)
        """
        for module in self.modules():
            module._draw(rng)
        return self

    def _draw(self, rng):
        """Draw this layer's own weights."""

    # ---- where its arrays are

    def to(self, where):
        """Bring all arrays there; return the layer itself.

        Parameters
        ----------
        where : "numpy", a torch device ("cpu", "cuda:0", torch.device), or a float dtype ("float64", torch.float16)
            "cpu" means tensors. What is counted stays an integer.

        Raises
        ------
        ValueError, TypeError
            It is none of these.
        """
        convert = _place.conversion(where)
        for _, holder in self._named(Parameter, Buffer):
            holder.data = convert(holder.data)
            if getattr(holder, "grad", None) is not None:
                holder.grad = convert(holder.grad)
        for module in self.modules():
            module._kept = None
        return self

    # ---- weights in and out

    def state_dict(self):
        """Return copies of all parameters and buffers by name, as the torch twin names them."""
        return {name: _place.copy(holder.data) for name, holder in self._named(Parameter, Buffer)}

    def load_state_dict(self, state_dict, strict=True):
        """Copy arrays into the parameters and buffers of the same names.

        Parameters
        ----------
        state_dict : dict of name -> array
            Of this layer or of its torch twin: the arrays may be of the other library, on another device, of another
            float dtype; they become what this layer's are.
        strict : bool
            Whether every name must be in both; otherwise the others are passed over.

        Returns
        -------
        missing, unexpected : lists of names

        Raises
        ------
        ValueError
            A name is missing or unexpected, or a shape is another. Then nothing has been copied.
        """
        own = dict(self._named(Parameter, Buffer))
        missing = [name for name in own if name not in state_dict]
        unexpected = [name for name in state_dict if name not in own]
        if strict and (missing or unexpected):
            raise ValueError("; ".join(
                f"`state_dict` {word} {names[0]!r}" + (f" and {len(names) - 1} more" if names[1:] else "")
                for word, names in (("lacks", missing), ("has no place here for", unexpected)) if names)
                + ": strict=False passes them over")
        fitting = [(holder, state_dict[name]) for name, holder in own.items() if name in state_dict]
        for name, holder in own.items():
            if name in state_dict and tuple(state_dict[name].shape) != tuple(holder.data.shape):
                raise ValueError(f"`state_dict` has {name!r} of shape {tuple(state_dict[name].shape)}; here it has "
                                 f"shape {tuple(holder.data.shape)}")
        for holder, value in fitting:
            holder.set(value)
        return missing, unexpected

    # ---- how it is shown and stored

    def extra_repr(self):
        """Return the settings, as they stand between the brackets."""
        return ""

    def __repr__(self):
        children = [f"  ({name}): {child!r}".replace("\n", "\n  ") for name, child in self.named_children()]
        if not children:
            return f"{type(self).__name__}({self.extra_repr()})"
        return "\n".join([f"{type(self).__name__}(", *children, ")"])

    def __getstate__(self):
        """A copy, and a pickle, is without what the last forward kept."""
        return {name: value for name, value in vars(self).items() if name != "_kept"}


class Function(Module):
    """A layer without parameters: an operation, its backward, and settings by name.

    A class of this kind names both as ``op`` and ``op_backward``. With ``saves_out`` the backward needs the output
    alone, which it gets as ``out=``, and in the place of x too.
    """

    op = op_backward = None
    saves_out = False

    def __init__(self, **settings):
        self.settings = settings

    def forward(self, x):
        out = type(self).op(x, **self.settings)
        self.keep(out if self.saves_out else x)
        return out

    def backward(self, grad_output):
        kept, = self.kept()
        saved = {"out": kept} if self.saves_out else {}
        return type(self).op_backward(grad_output, kept, **self.settings, **saved)

    def extra_repr(self):
        return ", ".join(f"{name}={value!r}" for name, value in self.settings.items())
