"""A net as the paper's table: stage by stage its shape, parameters, multiply-adds, and what a unit sees."""

from html import escape
from typing import NamedTuple

from cnnlib.architectures._build import of_ours
from cnnlib.layers import shapes

HEAD = ("stage", "output shape", "parameters", "multiply-adds", "sees", "step")


class Row(NamedTuple):
    """One stage of a net.

    Attributes
    ----------
    stage : str
    output_shape : tuple of int
        Of one sample.
    parameters, multiply_adds : int
        Of this stage alone.
    receptive_field, jump : int, or (rows, cols) where they differ, in pixels
        What one unit of its output sees of the picture, and how far apart two neighbours look.
    """

    stage: str
    output_shape: tuple
    parameters: int
    multiply_adds: int
    receptive_field: int | tuple
    jump: int | tuple


class Summary:
    """The rows of a net, in order, and their totals; printed, and shown in a notebook, as a table.

    Attributes
    ----------
    input_shape : tuple
    parameters, multiply_adds : int
        The sums over all rows.
    depth : int
        Layers with weights on the longest path.
    behind : dict
        Of each further head: the stage behind which it begins.
    """

    def __init__(self, rows, stages, reaches, input_shape, depth, behind=None):
        self._rows, self._stages, self._reaches, self.behind = tuple(rows), stages, reaches, behind or {}
        self.input_shape, self.depth = input_shape, depth
        self.parameters = sum(row.parameters for row in rows)
        self.multiply_adds = sum(row.multiply_adds for row in rows)

    def __iter__(self):
        return iter(self._rows)

    def __len__(self):
        return len(self._rows)

    def __getitem__(self, stage):
        """Return the row of a stage, by its name (dots lead into stages), or by its number."""
        if not isinstance(stage, str):
            return self._rows[stage]
        first, _, below = stage.partition(".")
        found = [row for row in self._rows if row.stage == first]
        if not found:
            raise KeyError(f"there is no stage {first!r}; there are {', '.join(row.stage for row in self._rows)}")
        return self.inside(first)[below] if below else found[0]

    def inside(self, stage):
        """Return the summary of a stage that is made of stages itself: its rows go on from what the picture was.

        Raises
        ------
        ValueError
            The stage is a layer.
        """
        row = self[stage]
        layer, before = self._stages[row.stage], self._reaches[row.stage]
        if not shapes.children(layer):
            raise ValueError(f"stage {stage!r} is a {type(layer).__name__}, which has no stages in it")
        return _summary(layer, before, self.input_shape)

    def layer(self, stage):
        """Return the layer that a row is about."""
        return self._stages[self[stage].stage]

    def shown(self):
        """Return the rows that a table shows: without those that neither cost nor change anything (ReLU, dropout)."""
        sizes = [self.input_shape, *(row.output_shape for row in self._rows)]
        return [row for row, before in zip(self._rows, sizes)
                if row.parameters or row.multiply_adds or row.output_shape != before]

    def __str__(self):
        lines = [HEAD, *map(_words, self.shown()), self._total()]
        widths = [max(len(line[column]) for line in lines) for column in range(len(HEAD))]
        text = [" ".join([line[0].ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(line[1:], widths[1:]))])
                for line in lines]
        rule = "-" * len(text[0])
        return "\n".join(line.rstrip() for line in [text[0], rule, *text[1:-1], rule, text[-1]])

    __repr__ = __str__

    def _repr_html_(self):
        def line(cells, tag="td"):
            return "<tr>" + "".join(f"<{tag} style='text-align:{'left' if k == 0 else 'right'}'>{escape(cell)}</{tag}>"
                                    for k, cell in enumerate(cells)) + "</tr>"
        body = "".join(line(_words(row)) for row in self.shown())
        return (f"<table><thead>{line(HEAD, 'th')}</thead><tbody>{body}</tbody>"
                f"<tfoot>{line(self._total(), 'th')}</tfoot></table>")

    def _total(self):
        return (f"depth {self.depth}", "", f"{self.parameters:,}", f"{self.multiply_adds:,}", "", "")


def summary(model, input_shape):
    """Return a net's table, without running it.

    Parameters
    ----------
    model : layers.Module, torch.nn.Module, or factory
        A factory is called as ``factory(nn=cnnlib.layers)``, with weights that take no memory.
    input_shape : (C, H, W), without the batch

    Returns
    -------
    Summary
        Of the net's stages. Multiply-adds are those of convolutions and linear layers, for one sample, without
        biases. Where paths meet, the receptive field is the largest, the depth the longest; what a
        :class:`layers.Gate` multiplies by is no path. Further heads are rows of their own.

    Raises
    ------
    ValueError
        The shape does not fit; the message says in which stage, and which picture would.
    TypeError
        A layer has no rule of shapes.

    Examples
    --------
    >>> from cnnlib.architectures import alexnet
    >>> table = summary(alexnet, (3, 224, 224))
    >>> table.parameters, table.depth, table["pool5"].output_shape, table["pool5"].receptive_field
    (61100840, 8, (256, 6, 6), 195)
    """
    if not (hasattr(model, "forward") and hasattr(model, "parameters")):
        if not callable(model):
            raise TypeError(f"`model` is {model!r}; it must be a net, or a function of `nn` that makes one")
        model = of_ours(model)
    before = shapes.start(input_shape)
    try:
        return _summary(model, before, tuple(input_shape))
    except ValueError as error:
        if len(before.shape) == 3:
            shapes.tell_smallest(model, before.shape, error)
        raise


def _summary(model, before, input_shape):
    heads = [(name, layer) for name, layer in shapes.children(model) if name != "trunk"] if _is_heads(model) else []
    trunk = model.trunk if heads else model
    if type(trunk).__name__ in ("Residual", "Concat", "Gate"):
        return _branches(trunk, before, input_shape)
    stages = shapes.children(trunk) if type(trunk).__name__ == "Sequential" else [(type(trunk).__name__, trunk)]
    rows, reaches, came, reach = [], {}, {}, before
    for name, layer in stages:
        came[name] = reach
        reach = reaches[name] = shapes.in_stage(name, layer, shapes.after, layer, reach)
        rows.append(_row(name, layer, came[name], reach))
    for name, layer in heads:
        came[name] = reaches[_after(model, name)]
        rows.append(_row(name, layer, came[name], shapes.in_stage(name, layer, shapes.after, layer, came[name])))
    behind = {name: _after(model, name) for name, _ in heads}
    return Summary(rows, dict([*stages, *heads]), came, input_shape, reach.depth - before.depth, behind)


def _branches(layer, before, input_shape):
    """The rows of paths side by side: each begins at the same place."""
    paths = shapes.children(layer)
    rows = [_row(name, path, before, shapes.in_stage(name, path, shapes.after, path, before)) for name, path in paths]
    depth = shapes.after(layer, before).depth - before.depth
    return Summary(rows, dict(paths), {name: before for name, _ in paths}, input_shape, depth)


def _is_heads(model):
    return type(model).__name__ == "Heads"


def _after(model, name):
    """Return the stage of the trunk behind which a head begins."""
    return model._after[name]


def _row(name, layer, before, after):
    parameters = sum(parameter.numel() for parameter in layer.parameters())
    field, jump = (pair[0] if pair[0] == pair[1] else pair for pair in (after.field, after.jump))
    return Row(name, after.shape, parameters, after.multiply_adds - before.multiply_adds, field, jump)


def _words(row):
    """Return the cells of a row of the table."""
    def both(value):
        return " x ".join(map(str, value)) if isinstance(value, tuple) else str(value)
    return (row.stage, both(row.output_shape), f"{row.parameters:,}", f"{row.multiply_adds:,}",
            both(row.receptive_field), both(row.jump))
