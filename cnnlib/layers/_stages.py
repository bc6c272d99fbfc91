"""What layers made of layers have in common: stages with names, and errors that tell where they happened."""

from cnnlib.layers._module import Module

NAMED = (ValueError, TypeError, RuntimeError)  # errors that are told where they happened


def in_stage(name, stage, function, *args):
    """Call the function; an error says in which stage it happened: ``in stage 'features.conv2', Conv2d(..): ...``."""
    try:
        return function(*args)
    except NAMED as error:
        if type(error) in NAMED:  # not their kin, whose messages may be read by programs
            below = getattr(error, "stage", None)
            error.stage = f"{name}.{below}" if below else name
            error.text = getattr(error, "text", None) or f"{repr(stage).partition(chr(10))[0]}: {error}"
            error.args = (f"in stage {error.stage!r}, {error.text}",)
        raise


def check_stage(name, stage, kind):
    """Check that a stage is a layer, and its name one that an attribute may have."""
    if not isinstance(stage, kind):
        hint = f": write {stage.__name__}(...)" if isinstance(stage, type) else ""
        home = kind.__module__.partition("._")[0]
        raise TypeError(f"stage {name!r} is {stage!r}; it must be a layer of {home}{hint}")
    if not isinstance(name, str) or not name or "." in name or hasattr(kind, name):
        raise ValueError(f"{name!r} cannot be the name of a stage: it must be text without a dot, and not the name of "
                         "an attribute that every layer has")


def named(stages):
    """Return a dict of the stages by name: the one dict that was given, or numbered from "0"."""
    if len(stages) == 1 and isinstance(stages[0], dict):
        return stages[0]
    return {str(number): stage for number, stage in enumerate(stages)}


class Container(Module):
    """A layer that holds others, by name."""

    def _add(self, name, stage):
        """Make a layer one of those held."""
        check_stage(name, stage, Module)
        if vars(self).get(name) is not None:
            raise ValueError(f"{name!r} cannot be the name of a stage here: it is taken")
        held = {id(module): where for where, module in self.named_modules()}
        for below, module in stage.named_modules():
            if id(module) in held:
                here = f"{name}.{below}" if below else name
                raise ValueError(f"one {type(module).__name__} stands both at {held[id(module)]!r} and at {here!r}: a "
                                 "layer remembers one forward pass only, so make two")
        setattr(self, name, stage)

    def _forward(self, name, x):
        stage = getattr(self, name)
        return in_stage(name, stage, stage, x)

    def _backward(self, name, grad_output, down_to=None):
        stage = getattr(self, name)
        if not down_to:
            return in_stage(name, stage, stage.backward, grad_output)
        return in_stage(name, stage, getattr(stage, "_backward_to", stage.backward), grad_output, down_to)

    def _backward_to(self, grad_output, down_to):
        """Return the gradient of what came out of the stage `down_to` in this layer, whose stages lie side by side."""
        name, below = self._find(down_to)
        grad_output = self._share(name, grad_output)
        return self._backward(name, grad_output, below) if below else grad_output

    def _share(self, name, grad_output):
        """Return the gradient of what came out of one of the stages side by side: of a sum's parts, the sum's own."""
        del name
        return grad_output

    def _names(self):
        return [name for name, _ in self.named_children()]

    def _find(self, stage):
        """Return the name of the stage here, and what is after the first dot: the name of a stage in it."""
        name, _, below = stage.partition(".")
        check_there(stage, name, self._names())
        if below and not isinstance(getattr(self, name), Container):
            check_entered(stage, name, getattr(self, name))
        return name, below


# ---- checks, also of torch_layers

def check_there(stage, name, names):
    """Check that the first `name` in the path `stage` is among the names."""
    if name not in names:
        raise ValueError(f"there is no stage {stage!r}; there are {', '.join(names)}")


def check_entered(stage, name, layer):
    """Check that forward_to goes on in a layer: from one stage to the next, not on one of several paths."""
    if hasattr(layer, "forward_to"):
        return
    kind = type(layer).__name__
    if not list(layer.named_children()):
        raise ValueError(f"there is no stage {stage!r}; {name!r} is a {kind}, without stages")
    raise ValueError(f"forward_to cannot end at {stage!r}: in {name!r}, a {kind}, the paths run side by side; "
                     "inspection.activations gives what comes out there")


def check_sum(out_shape, past_shape):
    """Check that what a body gives can be added to what goes past it."""
    if tuple(out_shape) != tuple(past_shape):
        raise ValueError(f"the body gives {tuple(out_shape)} and the shortcut {tuple(past_shape)}; to be added they "
                         "must be equal: `shortcut` may be a 1x1 convolution with the body's stride and channels")


def check_branches(shapes):
    """Check that branches differ in their channels only."""
    if len({(shape[0], *shape[2:]) for shape in shapes.values()}) > 1:
        given = ", ".join(f"{name} {shape}" for name, shape in shapes.items())
        raise ValueError(f"the branches give {given}; they may differ in the channels only")


def check_gate(scale_shape, x_shape):
    """Check that what a gate gives is x's shape, with 1 for some axes."""
    if len(scale_shape) != len(x_shape) or any(one not in (1, many) for one, many in zip(scale_shape, x_shape)):
        raise ValueError(f"the body gives {tuple(scale_shape)} for `x` {tuple(x_shape)}; it must be that shape, with 1 "
                         "in the place of some axes")


def check_after(after_stage, names):
    """Check that a head's place is a stage of the trunk."""
    if after_stage not in names:
        raise ValueError(f"`after_stage` is {after_stage!r}; the trunk's stages are {', '.join(names)}")
