"""What every optimiser has: parameters in groups, settings for each group, and what it remembers of each parameter."""

from copy import deepcopy

import numpy as np

from cnnlib import _array


class Optimizer:
    """Groups of parameters with their settings; :meth:`step` moves each parameter against its gradient.

    Parameters
    ----------
    params : list of parameters, or of dicts {"params": parameters, setting: value, ...}
        A group's own settings come before the common ones.
    **settings : number
        At least ``lr``, the step size.

    Attributes
    ----------
    param_groups : list of dict
        ``param_groups[0]["lr"]`` is the step size; schedules write it.

    Notes
    -----
    A subclass says in ``update`` what happens to one array: it is written over in place.
    """

    def __init__(self, params, **settings):
        params = list(params)
        if not params:
            raise ValueError("`params` is empty: an optimiser needs at least one parameter, as net.parameters() gives")
        groups = params if isinstance(params[0], dict) else [{"params": params}]
        self.param_groups = [settings | group | {"params": list(group["params"])} for group in groups]
        self.state = {}  # number of the parameter: {name: array or number}
        self._check()

    def _check(self):
        seen = set()
        for parameter in self._parameters():
            if not (hasattr(parameter, "data") and hasattr(parameter, "grad")):
                raise TypeError(f"`params` holds a {type(parameter).__name__}; it must hold parameters with data and "
                                "grad, as net.parameters() gives")
            if id(parameter) in seen:
                raise ValueError("`params` holds a parameter twice: it would be moved twice a step")
            seen.add(id(parameter))
        for group in self.param_groups:
            for name, value in group.items():
                self._check_setting(name, value)

    def _check_setting(self, name, value):
        """Refuse numbers that are out of range."""
        for number in value if name == "betas" else (value,):
            if isinstance(number, (int, float)) and not isinstance(number, bool):
                below = 1 if name in ("betas", "alpha") else float("inf")
                if not 0 <= number < below:
                    raise ValueError(f"`{name}` is {value}; it must be at least 0"
                                     + (" and below 1" if below == 1 else " and finite"))

    def _parameters(self):
        return [parameter for group in self.param_groups for parameter in group["params"]]

    def zero_grad(self):
        """Forget all gradients."""
        for parameter in self._parameters():
            parameter.grad = None

    def step(self):
        """Move every parameter that has a gradient."""
        number = 0
        for group in self.param_groups:
            for parameter in group["params"]:
                if parameter.grad is not None:
                    self.update(parameter.data, parameter.grad, self.state.setdefault(number, {}), group)
                number += 1

    def update(self, data, grad, state, group):
        """Write the new weights into `data`; `state` is a dict that is the parameter's own, empty at first."""
        raise NotImplementedError

    def state_dict(self):
        """Return the settings, and copies of what is remembered; parameters are numbers in it. As torch's."""
        groups, first = [], 0
        for group in self.param_groups:
            count = len(group["params"])
            groups.append(group | {"params": list(range(first, first + count))})
            first += count
        return {"state": {number: {name: _copy(value) for name, value in state.items()}
                          for number, state in self.state.items()}, "param_groups": groups}

    def load_state_dict(self, state_dict):
        """Go on where another optimiser of the same kind, for parameters of the same shapes, was.

        Raises
        ------
        ValueError
            The groups have other numbers of parameters, or something remembered has another shape.
        """
        groups = state_dict["param_groups"]
        given, own = ([len(group["params"]) for group in all_groups] for all_groups in (groups, self.param_groups))
        if given != own:
            raise ValueError(f"`state_dict` has groups of {given} parameters, this optimiser of {own}")
        parameters = self._parameters()
        for number, state in state_dict["state"].items():
            for name, value in state.items():
                shape, fits = tuple(np.shape(value)), tuple(parameters[number].data.shape)
                if shape not in ((), fits):
                    raise ValueError(f"`state_dict` has {name!r} of shape {shape} for parameter {number}, which has "
                                     f"shape {fits}")
        self.state = {number: {name: _copy(value) for name, value in state.items()}
                      for number, state in state_dict["state"].items()}
        self.param_groups = [deepcopy({name: value for name, value in group.items() if name != "params"})
                             | {"params": mine["params"]} for group, mine in zip(groups, self.param_groups)]

    def __repr__(self):
        settings = ", ".join(f"{name}={value}" for name, value in self.param_groups[0].items() if name != "params")
        return f"{type(self).__name__}({len(self._parameters())} parameters, {settings})"


def _copy(value):
    """Return a copy of an array; numbers are as they are."""
    if _array.is_torch(value):
        return value.detach().clone()
    return np.array(value) if isinstance(value, np.ndarray) else value
