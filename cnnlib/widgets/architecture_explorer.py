"""The architecture explorer: where size, cost and sight sit in a network."""

import math

import traitlets
from traitlets import Dict, Enum, Int, Unicode

from cnnlib import architectures, data
from cnnlib.architectures import summary
from cnnlib.architectures._names import NAMED
from cnnlib.architectures.pretrained import PUBLISHED
from cnnlib.widgets import _base, _compose
from cnnlib.widgets._architecture import (
    KEYS,
    NOUNS,
    apart,
    field_of,
    measured,
    named,
    net_of,
    others,
    paths,
    scaled_apart,
    trail,
    unit_of,
    units,
    with_strong,
    without_parts,
)
from cnnlib.widgets._opaque import measured_copy
from cnnlib.widgets._strongest import strongest
from cnnlib.widgets._text import full, literal, places, plural
from cnnlib.widgets.shape_builder import Shape

GIVEN = {"architecture": "model", "compare": "other"}  # what stands in code() for a net that has no name


class Stage(Unicode):
    """The path of a stage; a number counts the stages of the net."""

    def validate(self, obj, value):
        known = obj._net["stages"]
        if isinstance(value, int) and not isinstance(value, bool):
            if not -len(known) <= value < len(known):
                raise traitlets.TraitError(f"`stage` is {value}; the stages are 0 to {len(known) - 1}, or -1 for the "
                                           "last")
            return known[value]["path"]
        if not trail(obj._net, value):
            raise traitlets.TraitError(f"`stage` is {value!r}; there is {', '.join(stage['path'] for stage in known)}, "
                                       "and with a dot the stages in those")
        return value


class ArchitectureExplorer(_base.CourseWidget):
    """Walk along the stages of a net: how large its maps are, what it costs, how much of a photo a unit sees.

    Parameters
    ----------
    architecture : str, factory or model
        A name, such as "vgg16" or "resnet50"; a function of `nn` that makes a net; or a net of either engine. A layer
        of a kind that is not known is an opaque block: its shape and its field are measured by running a copy.
    input_shape : (channels, rows, cols), optional
        None takes the paper's, or (3, 224, 224).
    stage : int or str
        The chosen stage, by its number (-1 is the last) or its path: "pool5", "conv3_x.conv3_1".
    row, col : int, optional
        The unit of the stage's maps whose field is drawn; None takes the middle.
    measure : {"params", "mult-adds", "memory", "field"}
        What bars and colours show.
    compare : str, factory or model, optional
        A second net, drawn below on the same scale; where one's largest stage has more than ten times the other's,
        each has its own. Where the first stands at its paper's pictures, this one at its own paper's, else both at the
        same; the words say which where they differ.
    compare_stage : str, optional
        The chosen stage of the second net: the unit of it that looks at the same place of the photo is drawn, too.
    photo : str or None
        One of :data:`cnnlib.data.PHOTOS`.
    weights : {"published"}, optional
        Of a net by name: fetch its published weights (:func:`architectures.pretrained`). Of a net with weights, these
        or its own, the strongest maps of the photo are shown; make the explorer again when it has learnt more.
    **options
        ``size``, ``hide``, ``predict``, as in :class:`CourseWidget`.

    Attributes
    ----------
    table : architectures.Summary

    Raises
    ------
    ValueError
        There is no such name, with those that there are, or the net does not take such pictures.

    Examples
    --------
    >>> ArchitectureExplorer("vgg16", stage="pool5")
    Stage pool5: 512×7×7, sees 212×212 pixels in steps of 32. 0 parameters, 0 percent of 138,357,544.
    """

    javascript = "architecture_explorer.js"
    positional = ("architecture",)
    controls = ("measure", "compare")
    _esm = _compose.compose(javascript)
    _css = _base.style() + (_compose.STATIC / "architecture_explorer.css").read_text(encoding="utf-8")

    architecture = Unicode("vgg16").tag(sync=True, start=True)
    input_shape = Shape(default_value=[3, 224, 224]).tag(sync=True, start=True)
    stage = Stage().tag(sync=True, start=True)
    row = Int(None, allow_none=True).tag(sync=True, start=True)
    col = Int(None, allow_none=True).tag(sync=True, start=True)
    measure = Enum(["params", "mult-adds", "memory", "field"], "params").tag(sync=True, start=True)
    compare = Unicode(None, allow_none=True).tag(sync=True, start=True)
    compare_stage = Unicode(None, allow_none=True).tag(sync=True, start=True)
    photo = Enum([*data.PHOTOS, None], "camera").tag(sync=True, start=True)
    weights = Enum([None, "published"], None).tag(sync=True, start=True)
    scale = Enum(["auto"], "auto").tag(sync=True, start=True)  # no array is shown here
    _net = Dict().tag(sync=True)
    _others = Dict().tag(sync=True)
    _pixels = _base.Array(2).tag(sync=True)
    _maps = Dict().tag(sync=True)

    def __init__(self, architecture="vgg16", *, input_shape=None, stage=-1, compare=None, weights=None, **state):
        self._running = {}
        self._given = {name: None if isinstance(net, str) else net
                       for name, net in (("architecture", architecture), ("compare", compare))}
        names = {name: net if isinstance(net, str) else GIVEN[name] for name, net in
                 (("architecture", architecture), ("compare", compare)) if net is not None}
        shape = input_shape or self._usual(names["architecture"])
        self.weights = weights
        self.table, self._net = self._made("architecture", names["architecture"], shape)
        super().__init__(input_shape=shape, stage=stage, weights=weights, **names, **state)
        self.observe(self._remake, ["architecture", "input_shape", "compare", "weights"])
        self.observe(self._look, ["input_shape", "photo"])
        self._meet(names.get("compare"))
        self._check_second(self.compare_stage)
        self._look(None)

    @traitlets.validate("compare_stage")
    def _check_compare_stage(self, proposal):
        self._check_second(proposal.value)
        return proposal.value

    def _check_second(self, path):
        """Refuse a stage that the second net does not have; before that net is met, it is not known."""
        if path is not None and self.compare is None:
            raise traitlets.TraitError(f"`compare_stage` is {path!r}; there is no second net: set `compare`")
        second = self._others.get(self.compare)
        if path is not None and second and not trail(second, path):
            raise traitlets.TraitError(f"`compare_stage` is {path!r}; {self.compare} has "
                                       f"{', '.join(stage['path'] for stage in second['stages'])}")

    @property
    def model(self):
        return self._given["architecture"]

    @staticmethod
    def _usual(name):
        return NAMED[name][1] if name in NAMED else (3, 224, 224)

    def _made(self, trait, name, shape):
        """Return the summary of a net, and what the browser gets of it."""
        net = self._given[trait] if name == GIVEN[trait] and self._given[trait] is not None else None
        if trait == "architecture" and self.weights is not None:
            net = self._published(name)
        if net is None and name not in NAMED:
            raise ValueError(f"`{trait}` is {name!r}; it must be a model, a function that makes one, or one of "
                             f"{', '.join(NAMED)}")
        net = net or named(name, shape[0])
        try:
            table = summary(net, tuple(shape))
        except TypeError as error:  # a kind of layer that is not known
            if "has no rule of shapes" not in str(error):
                raise
            table = summary(measured_copy(net), tuple(shape))
        return table, net_of(table)

    def _published(self, name):
        """Return a net with the weights published for it; the one that was fetched last is kept."""
        if name not in PUBLISHED:
            raise ValueError(f"`weights` is {self.weights!r}, but for {name!r} none are; they are for "
                             f"{', '.join(PUBLISHED)}")
        if name not in self._running:
            self._running = {name: architectures.pretrained(name)}
        return self._running[name]

    def _meet(self, name):
        """Tell the browser the nets to compare with, that of this name among them."""
        shape = tuple(self.input_shape)
        own = self.architecture not in NAMED or shape == NAMED[self.architecture][1]
        found = others(None if own else shape)
        if name is not None and name not in found:
            shape = NAMED[name][1] if own and name in NAMED else shape
            found = found | {name: without_parts(self._made("compare", name, shape)[1])}
        self._others = {name: net | {"apart": apart(net, name, self.input_shape)} for name, net in found.items()}

    def _remake(self, change):
        if change.name != "compare":
            self.table, self._net = self._made("architecture", self.architecture, self.input_shape)
            if not trail(self._net, self.stage):
                self.stage = -1
            self._look_into()
        self._meet(self.compare)
        if not self._second():
            self.compare_stage = None

    def _look(self, change):
        """Show the photo at the resolution of the input, at most 256 pixels a side."""
        shrink = min(1, 256 / max(self.input_shape[1:]))
        size = tuple(max(1, round(n * shrink)) for n in self.input_shape[1:])
        self._pixels = None if self.photo is None else data.photo(self.photo, size=size, grey=True)
        self._look_into()

    def _look_into(self):
        """Find the strongest maps of the photo, where there are weights."""
        given = self._given["architecture"] if self.architecture == GIVEN["architecture"] else None
        net = self._running.get(self.architecture) if self.weights else given
        found = {}
        if self.photo is not None and hasattr(net, "forward"):
            found = strongest(net, self.photo, self.input_shape, paths(self._net["stages"]),
                              self.architecture if self.weights else None)
        if found or self._maps:
            self._net = with_strong(self._net, {path: channels for path, (channels, _) in found.items()})
            self._maps = {path: {"shape": list(levels.shape), "data": levels.tobytes()}
                          for path, (_, levels) in found.items() if levels is not None}

    def _default(self, name):
        if name == "stage":
            return self._net["stages"][-1]["path"]
        return list(self._usual(self.architecture)) if name == "input_shape" else super()._default(name)

    def _written(self, name):
        value = getattr(self, name)
        return value if name in GIVEN and value == GIVEN[name] else literal(value)

    def sentence(self):
        """Return what the chosen stage gives, costs and sees."""
        *_, node = trail(self._net, self.stage)
        noun = NOUNS.get(self.measure)
        if self.predict:
            return f"Stage {node['path']}: predict its {noun + 's' if noun else 'receptive field'}."
        told = f"Stage {node['path']}: {_maps_words(node)}."
        told += self._cost_words(node) + self._unit_words(node) + _strong_words(node)
        return told + self._parts_words(node) + self._other_words()

    def _cost_words(self, node):
        if self.measure == "field":
            return ""
        value, total = node[KEYS[self.measure]], self._net[KEYS[self.measure]]
        share = full(math.floor(1000 * value / max(1, total) + 0.5) / 10)
        kept = " kept" if self.measure == "memory" else ""
        counted = " counted" if self.measure == "mult-adds" and self._net["partly"] else ""
        return f" {plural(value, NOUNS[self.measure])}{kept}, {share} percent of {total:,}{counted}."

    def _unit_words(self, node):
        if self.row is None and self.col is None or max(units(node)) == 1:
            return ""
        row, col = unit_of(node, self.row, self.col)
        rows, cols = field_of(node, (row, col))
        return f" Unit at row {row}, column {col} sees rows {places(*rows)}, columns {places(*cols)}."

    @staticmethod
    def _parts_words(node):
        count = len(node["parts"])
        return {"layer": "", "chain": f" Made of {plural(count, 'stage')}.",
                "residual": " Made of a body and what goes past it; the wider field is told.",
                "concat": f" Made of {count} branches; the widest field is told.",
                "opaque": " Opaque: of a kind that is not known; its shape and field are measured, its multiply-adds "
                          "are not counted."}[node["kind"]]

    def _second(self):
        """Return the chosen stage of the second net, or None."""
        other = self._others.get(self.compare)
        return (trail(other, self.compare_stage) or [None])[-1] if other else None

    def _other_words(self):
        other = self._others.get(self.compare)
        if not other:
            return ""
        name = self.compare + other["apart"]
        if self.measure == "field":
            widest = max(measured(stage, "field") for stage in other["stages"])
            told = f" {name}: sees {widest:,} pixels at most."
        else:
            kept = " kept" if self.measure == "memory" else ""
            told = f" {name}: {plural(other[KEYS[self.measure]], NOUNS[self.measure])}{kept} in all."
        second = self._second()
        return told + (f" Its {second['path']}: {_maps_words(second)}." if second else "")

    def figure(self):
        """Return the figure of :func:`cnnlib.plots.plot_architecture`, both nets where two are compared."""
        import textwrap

        from cnnlib import plots

        nets, stages, far = {"": self.table}, {"": self.stage}, False
        if other := self._others.get(self.compare):
            second = f"{self.compare} too" if self.compare == self.architecture else self.compare
            table, _ = self._made("compare", self.compare, tuple(other["input_shape"]))
            nets = {self.architecture: self.table, second: table}
            stages = {self.architecture: self.stage, second: self.compare_stage}
            far = scaled_apart([self._net, other], self.measure)
        ax = plots.plot_architecture(nets, None if self.predict else self.measure, stage=stages,
                                     own_scale=far, title=textwrap.fill(self.sentence(), 105))
        ax.title.set_size(11)
        return ax.figure


def _strong_words(node):
    """Return which channels answer to the photo most."""
    what = "Strongest maps of" if len(node["shape"]) == 3 else "Largest numbers for"
    return f" {what} the photo: {', '.join(map(str, node['strong']))}." if node["strong"] else ""


def _maps_words(node):
    """Return what a stage gives and sees."""
    maps = len(node["shape"]) == 3
    shape = "×".join(map(str, node["shape"])) if maps else plural(node["shape"][0], "number")
    step = f" in steps of {'×'.join(map(str, dict.fromkeys(node['jump'])))}" if max(units(node)) > 1 else ""
    return f"{shape}, sees {'×'.join(map(str, node['sees']))} pixels{step}"
