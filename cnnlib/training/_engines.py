"""The few words in which our engine and torch's differ: where arrays live, and how one batch gives gradients."""

import sys
from contextlib import contextmanager, nullcontext

import numpy as np

from cnnlib import _array, layers
from cnnlib._arguments import is_integer
from cnnlib._threads import one_blas_thread
from cnnlib.layers import _place


def engine_for(model, loss, device, mixed_precision=False):
    """Return what runs the model: :class:`Ours` or :class:`Torch`, with the model brought to the device."""
    if isinstance(model, layers.Module):
        return Ours(model, loss, device, mixed_precision)
    if _is_torch_module(model):
        return Torch(model, loss, device, mixed_precision)
    raise TypeError(f"`model` is a {type(model).__name__}; it must be a net of cnnlib.layers or a torch.nn.Module")


class Engine:
    """What both have in common."""

    mixed = None  # the dtype of mixed precision, by name

    def arrays(self, x, y):
        """Return the batch in the model's library, dtype and device."""
        example = self.example
        x = _place.like(x, example)
        if not _array.is_torch(x) and x.ndim == 4 and _array.dtype_name(x) == "float32":
            x = layers.batch_innermost(x)  # the order in which NumPy is fastest
        if is_integer(y):
            y = _array.as_dtype(y, "int64")
            return x, (_as_tensor(y, example) if _array.is_torch(example) else _array.to_numpy(y))
        return x, _place.like(y, example)

    def leaves(self):
        """Return [(name, layer)] of the layers that hold no others."""
        return [(name or type(self.model).__name__, module) for name, module in self.model.named_modules()
                if not list(module.named_children())]

    def reduction(self):
        """Return the loss's word for how a batch is summed up; losses that have none take the mean."""
        return self.loss_setting("reduction", "mean")

    def loss_setting(self, name, default=None):
        settings = getattr(self.loss, "settings", {})
        value = settings.get(name, getattr(self.loss, name, default))
        return default if value is None else value

    def set_training(self, modes):
        """Give each layer its mode back, or all of them one."""
        if isinstance(modes, bool):
            self.model.train(modes)
            return
        for module, mode in zip(self.model.modules(), modes):
            module.training = mode

    def modes(self):
        return [module.training for module in self.model.modules()]

    def kept_buffers(self):
        """Return copies of what layers move while they run forward, running statistics, to be put back if need be."""
        return [(buffer, _place.copy(buffer.data)) for buffer in self.buffers]

    def put_back(self, kept):
        """Give the buffers the values that :meth:`kept_buffers` kept; they stay good for another time."""
        for buffer, value in kept:
            buffer.data[...] = value

    @contextmanager
    def evaluating(self):
        """Put the model in evaluation mode, and each layer back into its own mode afterwards."""
        modes = self.modes()
        self.model.eval()
        try:
            yield
        finally:
            self.set_training(modes)


class Ours(Engine):
    """A net of cnnlib.layers, on NumPy arrays or tensors."""

    def __init__(self, model, loss, device, mixed_precision):
        if mixed_precision:
            raise ValueError("`mixed_precision` is for a torch.nn.Module; a net of cnnlib.layers computes in its own "
                             "dtype, which model.to('float16') changes")
        self.model = model
        if not model.parameters():
            raise ValueError("`model` has no parameters: there is nothing to learn")
        if device != "auto":
            model.to(device)
        self.loss = layers.CrossEntropyLoss() if loss is None else loss
        if not (callable(getattr(self.loss, "backward", None)) and callable(self.loss)):
            raise TypeError(f"`loss` is {self.loss!r}; for a net of cnnlib.layers it must be one of its losses, such "
                            "as layers.CrossEntropyLoss(): called on (out, target), and with a backward")
        self.buffers = model.buffers()
        if isinstance(self.loss, layers.Module):
            self.loss.to(self.example.device if _array.is_torch(self.example) else "numpy")

    @property
    def example(self):
        return self.model.parameters()[0].data

    @property
    def place(self):
        return _array.device(self.example) if _array.is_torch(self.example) else "numpy"

    def learn(self, x, y, share):
        """Add `share` times the gradients of the batch; return (share times the loss, the output)."""
        with self._threads():
            out = self.model(x)
            loss = float(self.loss(out, y))
            if np.isfinite(loss):
                self.model.backward_parameters(self.loss.backward(share))
        return share * loss, out

    def predict(self, x):
        with self._threads():
            return self.model(x)

    def loss_of(self, out, y):
        return float(self.loss(out, y))

    def parameters(self):
        return self.model.parameters()

    def zero_grad(self):
        self.model.zero_grad()

    def step(self, optimizer):
        optimizer.step()

    def state(self):
        """Return copies of all weights and buffers by name."""
        return self.model.state_dict()

    def load(self, state):
        self.model.load_state_dict(state)

    def watched(self, see):
        """Return a context in which see(name, layer, x, out) is called as each layer has run."""
        return _wrapped(self.leaves(), see)

    def give_generators(self, seed):
        """Give each dropout without a generator one of its own, so that the run can be repeated."""
        for number, (_, module) in enumerate(self.leaves()):
            if getattr(module, "rng", 0) is None:
                module.rng = np.random.default_rng([seed, 1, number])

    def generators(self):
        """Return the states of all generators that the layers draw from, as data for JSON."""
        return {name: module.rng.bit_generator.state for name, module in self.leaves()
                if isinstance(getattr(module, "rng", None), np.random.Generator)}

    def load_generators(self, states):
        for name, module in self.leaves():
            if name in states:
                module.rng.bit_generator.state = states[name]

    def own_randomness(self, seed):
        """Do as for torch's nets where torch is there: a DataLoader draws its order from torch's generator."""
        torch = sys.modules.get("torch")
        return nullcontext() if torch is None else _forked(torch, [], seed)

    def _threads(self):
        """Keep BLAS to one thread where no tuned code does: between small products its others spin in each other's way.

        Five epochs of lecture 34's net in float64, on two cores that others used too, took 48 s without and 5 s with.
        """
        tuned = _array.is_torch(self.example) or _array.dtype_name(self.example) == "float32"
        return nullcontext() if tuned else one_blas_thread()


class Torch(Engine):
    """A torch.nn.Module."""

    def __init__(self, model, loss, device, mixed_precision):
        import torch

        self.torch, self.model = torch, model
        if not list(model.parameters()):
            raise ValueError("`model` has no parameters: there is nothing to learn")
        if device == "auto":
            device = "cuda" if torch.cuda.is_available() else None
        if device is not None:
            try:
                model.to(device)
            except (RuntimeError, AssertionError, TypeError) as error:
                raise ValueError(f"`device` is {device!r}, which torch cannot use here "
                                 f"({str(error).splitlines()[0]}); 'auto' takes what there is") from None
        self.loss = torch.nn.CrossEntropyLoss() if loss is None else loss
        if isinstance(self.loss, layers.Module) or not callable(self.loss):
            raise TypeError(f"`loss` is {self.loss!r}; for a torch.nn.Module it must be a function of (out, target) "
                            "such as torch.nn.CrossEntropyLoss()")
        self.buffers = list(model.buffers())
        if isinstance(self.loss, torch.nn.Module):
            self.loss.to(self.example.device)
        self.mixed = mixed_dtype(self.example.device) if mixed_precision else None
        self.scaler = torch.amp.GradScaler(self.example.device.type, enabled=self.mixed == "float16")

    @property
    def example(self):
        return next(self.model.parameters())

    @property
    def place(self):
        return str(self.example.device)

    def learn(self, x, y, share):
        """Add `share` times the gradients of the batch; return (share times the loss, the output)."""
        with self._autocast():
            out = self.model(x)
            loss = self.loss(out, y)
        value = float(loss.detach())
        if np.isfinite(value):
            self.scaler.scale(loss * share).backward()
        return share * value, out

    def predict(self, x):
        with self.torch.no_grad(), self._autocast():
            return self.model(x)

    def loss_of(self, out, y):
        with self.torch.no_grad(), self._autocast():
            return float(self.loss(out, y))

    def parameters(self):
        return list(self.model.parameters())

    def zero_grad(self):
        self.model.zero_grad()

    def step(self, optimizer):
        if self.scaler.is_enabled():
            self.scaler.step(optimizer)
            self.scaler.update()
        else:
            optimizer.step()

    def state(self):
        """Return copies of all weights and buffers by name."""
        return {name: value.detach().clone() for name, value in self.model.state_dict().items()}

    def load(self, state):
        self.model.load_state_dict({name: self.torch.as_tensor(value) for name, value in state.items()})

    def watched(self, see):
        """Return a context in which see(name, layer, x, out) is called as each layer has run."""
        return self._hooked(see)

    @contextmanager
    def _hooked(self, see):
        handles = [module.register_forward_hook(lambda layer, args, out, name=name: see(name, layer, args[0], out))
                   for name, module in self.leaves()]
        try:
            yield
        finally:
            for handle in handles:
                handle.remove()

    def give_generators(self, seed):
        """Do nothing: torch's layers draw from the library's own generators, see :meth:`own_randomness`."""

    def generators(self):
        """Return the states of torch's generators, as data for JSON."""
        states = {"cpu": self.torch.get_rng_state().tolist()}
        if self.example.device.type == "cuda":
            states["cuda"] = self.torch.cuda.get_rng_state(self.example.device).tolist()
        return states

    def load_generators(self, states):
        as_state = self.torch.ByteTensor
        self.torch.set_rng_state(as_state(states["cpu"]))
        if "cuda" in states and self.example.device.type == "cuda":
            self.torch.cuda.set_rng_state(as_state(states["cuda"]), self.example.device)

    def own_randomness(self, seed):
        """Run with torch's generators begun at `seed`, and give them back as they were."""
        device = self.example.device
        return _forked(self.torch, [device] if device.type == "cuda" else [], seed)

    def _autocast(self):
        if self.mixed is None:
            return nullcontext()
        return self.torch.autocast(self.example.device.type, dtype=getattr(self.torch, self.mixed))


def mixed_dtype(device):
    """Return the half precision that the device multiplies in faster than in float32; None if there is none.

    bfloat16 where the GPU has it in hardware (not emulated, as on a T4), else float16, which needs its loss scaled. On
    a CPU nothing is gained in general, and float32 stays.
    """
    import torch

    if device.type != "cuda":
        return None
    return "bfloat16" if torch.cuda.is_bf16_supported(including_emulation=False) else "float16"


@contextmanager
def _forked(torch, devices, seed):
    with torch.random.fork_rng(devices):
        (torch if devices else torch.default_generator).manual_seed(seed % 2**64)
        yield


@contextmanager
def _wrapped(leaves, see):
    """Let each layer's forward tell what came in and out of it, by an attribute that hides the class's own."""
    def telling(name, layer):
        forward = layer.forward

        def told(x):
            out = forward(x)
            see(name, layer, x, out)
            return out
        return told

    for name, layer in leaves:
        layer.forward = telling(name, layer)
    try:
        yield
    finally:
        for _, layer in leaves:
            del layer.forward


def _as_tensor(a, example):
    return _array.library(example=example).as_tensor(a, device=example.device)


def _is_torch_module(model):
    torch = sys.modules.get("torch")
    return torch is not None and isinstance(model, torch.nn.Module)
