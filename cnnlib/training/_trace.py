"""Where an iterable stands in its epoch, so that a run that goes on gets the batches that would have come."""

import sys
import zlib

from cnnlib import _array


class NoTrace:
    """Nothing is kept: no checkpoint is wanted."""

    def begin(self, skip):
        """An epoch begins, and its first `skip` batches are to be passed over."""

    def saw(self, x, y):
        """A batch has come."""

    def arrived(self):
        """The last batch that is passed over has come."""


class Trace(NoTrace):
    """What decides which batches come: the states of torch's generators; and a sum over the batches, to see whether.

    A DataLoader draws an epoch's order from torch's generator, or from one of its own, when the epoch begins. So a run
    that goes on amid an epoch begins that epoch again, from the generators as they were then, passes over the batches
    that it has learnt from, and then puts the generators to where they were at the checkpoint.
    """

    def __init__(self, name, iterable):
        self.name, self.iterable = name, iterable
        self.begun, self.digest, self.goal = None, 0, None  # generators at the epoch's start; sum; what to come to

    def begin(self, skip):
        if skip:
            _put_back(self.iterable, self.begun)
        else:
            self.begun = _generators(self.iterable)
        self.digest = 0

    def saw(self, x, y):
        fixed = [y] if len(y.shape) == 1 else []  # pictures, and masks with them, may be changed at random
        if isinstance(self.iterable, (list, tuple)):
            fixed = [y, x[:1]]
        for a in fixed:
            self.digest = zlib.crc32(_array.to_numpy(a).tobytes(), self.digest)

    def arrived(self):
        if self.digest != self.goal["digest"]:
            raise ValueError(f"`{self.name}` gives other batches than before the checkpoint: to go on in the middle of "
                             "an epoch, an iterable must give them again in the same order, as a list does, or a "
                             "DataLoader whose order is torch's generator's")
        _put_back(self.iterable, self.goal["now"])

    def state(self):
        """Return all this as data for a checkpoint."""
        return {"begun": self.begun, "now": _generators(self.iterable), "digest": self.digest}

    def load(self, state):
        """Go back to a state."""
        self.begun, self.digest, self.goal = state["begun"], state["digest"], state
        _put_back(self.iterable, state["now"])

    def is_known(self):
        """Whether the next epoch's batches are sure to be those that would have come: nobody else draws them."""
        torch, given = sys.modules.get("torch"), self.iterable
        if torch is None or not isinstance(given, torch.utils.data.DataLoader):
            return isinstance(given, (list, tuple))
        own = [sampler for sampler in (given.sampler, given.batch_sampler) if sampler is not None]
        return (not isinstance(given.dataset, torch.utils.data.IterableDataset)
                and all(type(sampler).__module__.startswith("torch.") for sampler in own))


def _generators(iterable):
    """Return the states of torch's generator and of those that a DataLoader has of its own."""
    torch = sys.modules.get("torch")
    if torch is None:
        return []
    return [torch.get_rng_state().tolist(), *(own.get_state().tolist() for own in _own(iterable, torch))]


def _put_back(iterable, states):
    torch = sys.modules.get("torch")
    if torch is None or not states:
        return
    torch.set_rng_state(torch.tensor(states[0], dtype=torch.uint8))
    for own, state in zip(_own(iterable, torch), states[1:]):
        own.set_state(torch.tensor(state, dtype=torch.uint8))


def _own(iterable, torch):
    """Return the generators of a DataLoader and of its samplers, each once."""
    batch_sampler = getattr(iterable, "batch_sampler", None)
    holders = (iterable, getattr(iterable, "sampler", None), batch_sampler, getattr(batch_sampler, "sampler", None))
    found = [getattr(holder, "generator", None) for holder in holders]
    return list({id(own): own for own in found if isinstance(own, torch.Generator)}.values())
