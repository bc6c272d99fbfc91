"""One step in several parts, where memory does not hold the batch: gradients add up, so the sum is the same step."""

import sys

from cnnlib.training._counted import weighs_classes

WEIGHTED = ("weight", "pos_weight")  # settings of a loss that may differ from sample to sample
CHANGES = ("BatchNorm", "Dropout")  # layers whose output depends on who else is in the batch, or on how it is drawn


class Parts:
    """Run a function on a batch, in as many parts as memory asks for: twice as many each time that it runs out.

    Parameters
    ----------
    allowed : {"auto", True, False}
        False lets the error pass. "auto" cuts where that changes nothing but rounding, and in evaluation always.
    engine : Engine
    obstacles : list of str
        What makes a step in parts another computation: names of layers, or of a loss.
    relieve : function
        Asked first: gives memory back and returns True, as long as there is some to give.
    """

    def __init__(self, allowed, engine, obstacles=(), relieve=lambda: False):
        self.allowed, self.engine, self.obstacles, self.relieve = allowed, engine, list(obstacles), relieve
        self.count = 1

    def each(self, function, x, y, undo=lambda: None):
        """Return [function(x_part, y_part)]; after a part that memory did not hold, undo() and all again."""
        while True:
            size = -(-len(x) // self.count)
            try:
                return [function(x[begin:begin + size], y[begin:begin + size]) for begin in range(0, len(x), size)]
            except (MemoryError, RuntimeError) as error:
                if not is_out_of_memory(error):
                    raise
                relieved = self.relieve()
                if not relieved:
                    self._check(error, size)
            undo()  # outside of `except`, which would keep what failed alive
            self._forget()
            self.count *= 1 if relieved else 2

    def _check(self, error, size):
        if self.allowed is False:
            raise error
        if self.obstacles and self.allowed is not True:
            raise MemoryError(f"a batch of {size} does not fit into memory, and in parts {', '.join(self.obstacles)} "
                              "would compute something else: a smaller `batch_size`, or split_batches=True, which "
                              f"accepts that ({error})") from error
        if size == 1:
            raise MemoryError(f"not even one sample fits into memory: smaller pictures or a smaller net ({error})"
                              ) from error

    def _forget(self):
        """Give back what the failed attempt held."""
        torch = sys.modules.get("torch")
        if torch is not None and torch.cuda.is_available():
            torch.cuda.empty_cache()


def is_out_of_memory(error):
    """Whether the error says that memory ran out: NumPy's, torch's on a GPU or torch's on the CPU."""
    return (isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError"
            or "not enough memory" in str(error))


def obstacles(engine):
    """Return what makes the mean over parts another computation than the batch's: layers and losses in words."""
    found = [f"{name} ({type(layer).__name__})" for name, layer in engine.leaves()
             if any(word in type(layer).__name__ for word in CHANGES) and getattr(layer, "p", 1) and layer.training]
    weights = [word for word in WEIGHTED if engine.loss_setting(word) is not None]
    if engine.reduction() == "mean" and weights and not weighs_classes(engine):
        found.append(f"the loss with {' and '.join(weights)}")
    return found
