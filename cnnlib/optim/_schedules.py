"""Schedules: the step size as a function of how many steps (or epochs) have been taken."""

from bisect import bisect_right
from math import cos, pi

from cnnlib.geometry import as_int


class Schedule:
    """Set each group's ``lr`` of an optimiser to its first value times :meth:`factor`, now and at each :meth:`step`.

    Parameters
    ----------
    optimizer : Optimizer

    Notes
    -----
    Call :meth:`step` after the optimiser's, once a batch or once an epoch: that is the unit of all its numbers. The
    first value is kept in the group as ``initial_lr``. Most of torch's schedules multiply the lr that they find; these
    compute it anew from the number of steps, so that a change by hand lasts until the next step.
    """

    def __init__(self, optimizer):
        self.optimizer, self.last_epoch = optimizer, 0
        for group in optimizer.param_groups:
            group.setdefault("initial_lr", group["lr"])
        self._apply()

    def factor(self, t):
        """Return what the first lr is multiplied by after `t` steps."""
        raise NotImplementedError

    def lr(self, t, initial_lr):
        """Return the lr after `t` steps."""
        return initial_lr * self.factor(t)

    def step(self):
        """Count one step, and set the lr that is then due."""
        self.last_epoch += 1
        self._apply()

    def get_last_lr(self):
        """Return each group's lr."""
        return [group["lr"] for group in self.optimizer.param_groups]

    def state_dict(self):
        """Return how many steps have been counted; all else follows from the constructor's arguments."""
        return {"last_epoch": self.last_epoch}

    def load_state_dict(self, state_dict):
        self.last_epoch = state_dict["last_epoch"]
        self._apply()

    def _apply(self):
        for group in self.optimizer.param_groups:
            group["lr"] = self.lr(self.last_epoch, group["initial_lr"])


class StepLR(Schedule):
    """Multiply by `gamma` every `step_size` steps."""

    def __init__(self, optimizer, step_size, gamma=0.1):
        self.step_size, self.gamma = as_int("step_size", step_size, 1), gamma
        super().__init__(optimizer)

    def factor(self, t):
        return self.gamma ** (t // self.step_size)


class MultiStepLR(Schedule):
    """Multiply by `gamma` at each of the `milestones`, numbers of steps."""

    def __init__(self, optimizer, milestones, gamma=0.1):
        self.milestones, self.gamma = sorted(as_int("milestones", t, 0) for t in milestones), gamma
        super().__init__(optimizer)

    def factor(self, t):
        return self.gamma ** bisect_right(self.milestones, t)


class LinearLR(Schedule):
    """Go evenly from start_factor to end_factor in total_iters steps, and stay there: a warm-up."""

    def __init__(self, optimizer, start_factor=1 / 3, end_factor=1.0, total_iters=5):
        if not 0 < start_factor <= 1 or not 0 <= end_factor <= 1:
            raise ValueError(f"`start_factor` is {start_factor}, `end_factor` {end_factor}; they must lie between 0 "
                             "and 1, the first above 0")
        self.start_factor, self.end_factor = start_factor, end_factor
        self.total_iters = as_int("total_iters", total_iters, 1)
        super().__init__(optimizer)

    def factor(self, t):
        return self.start_factor + (self.end_factor - self.start_factor) * min(t, self.total_iters) / self.total_iters


class CosineAnnealingLR(Schedule):
    """Go down to eta_min in T_max steps, slowly at both ends: half a period of a cosine. (Then it rises again.)

    References
    ----------
    .. [1] Loshchilov & Hutter, SGDR: stochastic gradient descent with warm restarts, ICLR 2017.
       doi:10.48550/arXiv.1608.03983
    """

    def __init__(self, optimizer, T_max, eta_min=0.0):  # noqa: N803  (torch's word)
        self.T_max, self.eta_min = as_int("T_max", T_max, 1), eta_min
        super().__init__(optimizer)

    def lr(self, t, initial_lr):
        return self.eta_min + (initial_lr - self.eta_min) * (1 + cos(pi * t / self.T_max)) / 2


class OneCycleLR(Schedule):
    """Go up from max_lr / div_factor to max_lr, and down to far below where it began; the momentum goes the other way.

    Parameters
    ----------
    optimizer : Optimizer
    max_lr : float, or one for each group
    total_steps : int
    pct_start : float, in [0, 1]
        The part of the steps that goes up.
    anneal_strategy : {"cos", "linear"}
    cycle_momentum : bool
        Also move ``momentum`` (or the first of ``betas``) from max_momentum to base_momentum and back.
    base_momentum, max_momentum : float
    div_factor, final_div_factor : float
        It begins at max_lr / div_factor and ends at that divided by final_div_factor.
    three_phase : bool
        Come down as fast as it went up, and use what is left for the last part.

    References
    ----------
    .. [1] Smith & Topin, Super-convergence: very fast training of neural networks using large learning rates, 2017.
       doi:10.48550/arXiv.1708.07120
    """

    def __init__(self, optimizer, max_lr, total_steps, pct_start=0.3, anneal_strategy="cos", cycle_momentum=True,
                 base_momentum=0.85, max_momentum=0.95, div_factor=25.0, final_div_factor=1e4, three_phase=False):
        if anneal_strategy not in ("cos", "linear"):
            raise ValueError(f"`anneal_strategy` is {anneal_strategy!r}; it must be 'cos' or 'linear'")
        if not 0 <= pct_start <= 1:
            raise ValueError(f"`pct_start` is {pct_start}; it must lie between 0 and 1")
        self.total_steps, self.anneal_strategy = as_int("total_steps", total_steps, 1), anneal_strategy
        groups = optimizer.param_groups
        highest = list(max_lr) if isinstance(max_lr, (list, tuple)) else [max_lr] * len(groups)
        if len(highest) != len(groups):
            raise ValueError(f"`max_lr` has {len(highest)} numbers; the optimiser has {len(groups)} groups")
        self.momentum = next((name for name in ("momentum", "betas") if name in groups[0]), None)
        if cycle_momentum and (self.momentum is None or groups[0][self.momentum] == 0):
            raise ValueError("`cycle_momentum` needs an optimiser with momentum or betas: cycle_momentum=False")
        self.cycle_momentum = cycle_momentum
        for group, top in zip(groups, highest):
            group.update(initial_lr=top / div_factor, max_lr=top, min_lr=top / div_factor / final_div_factor)
            if cycle_momentum:
                group.update(base_momentum=base_momentum, max_momentum=max_momentum)
        up = pct_start * total_steps - 1
        lr, other = ("initial_lr", "max_lr", "min_lr"), ("max_momentum", "base_momentum", "max_momentum")
        if three_phase:
            ends, lr, other = (up, 2 * up, total_steps - 1), (*lr[:2], *lr[::2]), (*other, other[-1])
        else:
            ends = (up, total_steps - 1)
        self.phases = list(zip((0, *ends), ends, lr, lr[1:], other, other[1:]))  # steps, lr, momentum: each from, to
        super().__init__(optimizer)

    def step(self):
        if self.last_epoch == self.total_steps:
            raise ValueError(f"`total_steps` is {self.total_steps}; this is step {self.total_steps + 1}")
        super().step()

    def _apply(self):
        first, last, *ends = next((phase for phase in self.phases if self.last_epoch <= phase[1]), self.phases[-1])
        part = min((self.last_epoch - first) / (last - first), 1) if last > first else 1
        for group in self.optimizer.param_groups:
            group["lr"] = self._between(group[ends[0]], group[ends[1]], part)
            if self.cycle_momentum:
                momentum = self._between(group[ends[2]], group[ends[3]], part)
                group[self.momentum] = momentum if self.momentum == "momentum" else (momentum, *group["betas"][1:])

    def _between(self, start, end, part):
        if self.anneal_strategy == "linear":
            return start + (end - start) * part
        return end + (start - end) / 2 * (1 + cos(pi * part))
