"""Several processes that do one step together: each takes some rows of each batch, and gradients are added up."""

import sys

import numpy as np

from cnnlib import _array


def processes():
    """Return :class:`Together` where torch.distributed has been begun for several processes, else :class:`Alone`."""
    torch = sys.modules.get("torch")
    if torch is None or not torch.distributed.is_available() or not torch.distributed.is_initialized():
        return Alone()
    return Together() if torch.distributed.get_world_size() > 1 else Alone()


class Alone:
    """One process, which does all."""

    number, count = 0, 1

    def share(self, a):
        return a

    def added(self, values):
        return values

    def add_gradients(self, engine):
        pass

    def begin_alike(self, engine):
        pass


class Together:
    """One of several processes. Process k of n takes the rows k, k + n, k + 2n, ... of each batch."""

    def __init__(self):
        import torch

        self.torch, self.distributed = torch, torch.distributed
        self.number, self.count = self.distributed.get_rank(), self.distributed.get_world_size()

    def share(self, a):
        return a[self.number::self.count]

    def added(self, values):
        """Return the sum of all processes' values, a NumPy array of float64."""
        sums = self._on_device(self.torch.tensor(values, dtype=self.torch.float64))
        self.distributed.all_reduce(sums)
        return sums.cpu().numpy()

    def add_gradients(self, engine):
        """Give every process the sum of all gradients, in one message for each dtype."""
        parameters = engine.parameters()
        for parameter in parameters:
            if parameter.grad is None:  # no rows of this batch came here
                data = getattr(parameter, "data", parameter)
                parameter.grad = _array.zeros(data.shape, data)
        for dtype in {_array.dtype_name(parameter.grad) for parameter in parameters}:
            some = [parameter for parameter in parameters if _array.dtype_name(parameter.grad) == dtype]
            flat = self.torch.cat([self._tensor(parameter.grad).reshape(-1) for parameter in some])
            self.distributed.all_reduce(flat)
            begin = 0
            for parameter in some:
                grad, end = parameter.grad, begin + int(np.prod(parameter.grad.shape))
                total = flat[begin:end].reshape(tuple(grad.shape))
                grad[...] = total if _array.is_torch(grad) else total.cpu().numpy()
                begin = end

    def begin_alike(self, engine):
        """Give every process the weights and buffers of process 0."""
        state = engine.state()
        for name, value in state.items():
            tensor = self._tensor(np.ascontiguousarray(value) if isinstance(value, np.ndarray) else value.contiguous())
            self.distributed.broadcast(tensor, 0)
            state[name] = tensor.cpu().numpy() if isinstance(value, np.ndarray) else tensor
        engine.load(state)

    def _tensor(self, a):
        return self._on_device(self.torch.as_tensor(a))

    def _on_device(self, tensor):
        return tensor.cuda() if self.distributed.get_backend() == "nccl" else tensor
