"""The occlusion viewer: cover a part and ask again; and which pixels made a unit fire."""

import threading
import time

import numpy as np
import traitlets
from traitlets import Bool, Dict, Enum, Float, Int, List, Unicode

from cnnlib import _array
from cnnlib.inspection.occluded import FILLS
from cnnlib.widgets import _base, _compose, _occlusion
from cnnlib.widgets._text import full

BATCH = 64  # covered pictures at once
PAUSE = 0.2  # seconds: what a batch may take at most before it is made smaller, so that a scan can be stopped


class OcclusionViewer(_base.CourseWidget):
    """Cover a part of a picture and ask the network again: what does its answer depend on?

    Parameters
    ----------
    model : cnnlib.layers.Module or torch.nn.Module
        Gives scores (1, classes) for a picture. A copy of it is made, in evaluation: make the viewer again when the
        model has learnt more.
    image : array of shape (C, H, W) or (H, W)
        One picture, as the model takes it.
    target : int, optional
        The class that is asked for; None is the one that the network answers. Of more than 20 classes the 20 likeliest
        and this one are listed.
    patch, stride : int, in pixels
        The side of the square that covers, and the steps in which it moves.
    fill : {"grey", "mean", "blur", "noise"}
        What covers, as in :func:`cnnlib.inspection.occlusion`; the noise is the same each time.
    row, col : int, optional
        Upper left pixel of the patch; the nearest place in steps is taken. None leaves the picture whole.
    view : {"occlusion", "deconvnet"}
        The second shows which pixels made one unit of a layer fire: :func:`cnnlib.inspection.deconvnet`.
    layer : str, optional
        Its name; None takes the last one from which there is a way back to the pixels.
    channel : int
        The map; the nearest that there is.
    unit : (row, col), optional
        In that map; None is its strongest.
    scanned : bool
        Cover every place when the viewer is made. Turned on by a scan that is complete, off by a new patch.
    watch : (layer, channel) or (layer, channel, (row, col)), optional
        A unit that is asked for beside the classes, the strongest of its map without a place: the map then shows what
        it says, in percent of what it says of the whole picture. It is what the deconvnet view begins with, so that
        both look at one unit; as a class it is ``target=-1``.
    labels : sequence of str
        Names of the classes; none numbers them.
    weights : str
        Which weights these are, in words.
    **options
        ``size``, ``hide``, ``predict``, as in :class:`CourseWidget`.

    Attributes
    ----------
    heat : array of shape (rows, cols) of places
        The probability of the target with the patch there, NaN where not scanned.
    probability : float
        That of the target with the patch where it is; of the whole picture where there is none.
    progress : float
        Share of the places that are scanned.

    Raises
    ------
    ValueError
        The model does not take such a picture, there is no such class or layer, or no layer has a way back.

    Examples
    --------
    >>> from cnnlib import layers
    >>> net = layers.Sequential(layers.Flatten(), layers.Linear(36, 2))
    >>> net[1].weight.set(np.arange(72.0).reshape(2, 36) / 1000)
    >>> net[1].bias.set(np.zeros(2))
    >>> OcclusionViewer(net, np.ones((6, 6)), patch=2, stride=2, scanned=True, row=4, col=4)
    Patch at row 4, column 4: class 1 falls from 79 to 77 percent. Lowest of 9 places: 77 percent at row 0, column 0.
    """

    javascript = "occlusion_viewer.js"
    positional = ("model", "image")
    controls = ("view", "target", "patch", "stride", "fill", "scan", "lowest", "layer", "channel", "strongest")
    _esm = _compose.compose(javascript)
    _css = _base.style() + (_compose.STATIC / "occlusion_viewer.css").read_text(encoding="utf-8")

    image = _base.Array(2, 3).tag(start=True)
    target = Int(None, allow_none=True).tag(sync=True, start=True)
    patch = Int(32).tag(sync=True, start=True)
    stride = Int(8).tag(sync=True, start=True)
    fill = Enum(FILLS, "grey").tag(sync=True, start=True)
    row = Int(None, allow_none=True).tag(sync=True, start=True)
    col = Int(None, allow_none=True).tag(sync=True, start=True)
    view = Enum(["occlusion", "deconvnet"], "occlusion").tag(sync=True, start=True)
    layer = Unicode(None, allow_none=True).tag(sync=True, start=True)
    channel = Int(0).tag(sync=True, start=True)
    unit = List(Int(), None, allow_none=True, minlen=2, maxlen=2).tag(sync=True, start=True)
    watch = List(default_value=None, allow_none=True).tag(sync=True, start=True)
    scanned = Bool(False).tag(sync=True, start=True)
    labels = List(Unicode()).tag(sync=True, start=True)
    weights = Unicode().tag(sync=True, start=True)
    scale = Enum(["auto"], "auto").tag(sync=True, start=True)  # the scales are the viewer's own
    _scene = Dict().tag(sync=True)
    _note = Unicode().tag(sync=True)
    _trouble = Unicode().tag(sync=True)
    _seconds = Float(0.0).tag(sync=True)
    _scanning = Bool(False).tag(sync=True)
    _ask = Dict().tag(sync=True)
    _map = Dict().tag(sync=True)
    _place = Dict().tag(sync=True)
    _unit = Dict().tag(sync=True)
    _cover = Dict().tag(sync=True)

    def __init__(self, model, image, *, _told=None, **state):
        given = np.asarray(image)
        if given.ndim not in (2, 3) or not given.size or not np.isfinite(given).all():
            raise ValueError(f"`image` has shape {given.shape}; it must be one picture (C, H, W) or (H, W) of finite "
                             "numbers")
        self._subject = _occlusion.Subject(model, given)
        self._lock, self._worker, self._halt = threading.RLock(), None, threading.Event()
        self._asks = _told is None  # a viewer that is told all that another knows asks the network nothing
        subject, size = self._subject, given.shape[-2:]
        if state.get("watch") is not None:
            state = self._watched(state)
        self._check(state.get("target"), state.get("layer"), state.get("view"), state.get("labels"))
        classes = _occlusion.listed(subject.shares, state.get("target"))
        classes += [_occlusion.WATCHED] if subject.watched else []
        whole = [float(x) for x in _occlusion.row_of(subject.whole(), classes)]
        known = [dict(answers) for answers in _told] if _told else [{}, {}, {}]
        self._known = _occlusion.Scene(size, classes, whole, subject.layers, *known, subject.level)
        state |= {name: list(state[name]) for name in ("unit", "labels") if state.get(name) is not None}
        super().__init__(image=given, **state)
        self.model = model
        self._names |= {"model": "model", "image": "image"}
        self._names |= {"labels": "labels"} if len(self.labels) > _occlusion.LISTED else {}
        with self.hold_sync():
            self._start = {name: value for name, value in self._start.items() if name != "image"}  # none can change it
            self._tell_scene()
            self._tell_code()
        self.observe(self._settled, ["patch", "stride", "fill", "scanned"])
        self.observe(self._look, ["row", "col", "patch", "fill", "view", "layer", "channel", "unit"])
        self.observe(self._asked, "_ask")
        if self.scanned:
            self.scan(wait=True)
        self._tell_map()
        self._look(None)

    def _watched(self, state):
        """Return the state with a unit that is watched, which is the target and what the deconvnet shows first."""
        layer, channel, *unit = state["watch"]
        unit = unit[0] if len(unit) == 1 else unit or None
        layer, channel, row, col = self._subject.watch(layer, channel, unit)
        usual = {"target": _occlusion.WATCHED, "layer": layer, "channel": channel, "unit": [row, col]}
        return usual | state | {"watch": [layer, channel, row, col]}

    def _check(self, target, layer, view, labels):
        subject, count = self._subject, len(self._subject.shares)
        known = target is None or 0 <= target < count or (target == _occlusion.WATCHED and subject.watched)
        if not known:
            unit = ", and no unit is watched" if target == _occlusion.WATCHED else ""
            raise ValueError(f"`target` is {target}; the classes are 0 to {count - 1}{unit}")
        if labels and len(labels) != count:
            raise ValueError(f"`labels` are {len(labels)}; there are {count} classes")
        names = [each["name"] for each in subject.layers]
        if view == "deconvnet" and not names:
            raise ValueError("`view` is 'deconvnet', but `model` has no layer with a way back to the pixels: it must "
                             "be a Sequential that begins with Conv2d, ReLU, MaxPool2d or LocalResponseNorm")
        if layer is not None and layer not in names:
            raise ValueError(f"`layer` is {layer!r}; those with a way back to the pixels are "
                             f"{', '.join(names) or 'none'}")

    @traitlets.validate("watch")
    def _check_watch(self, proposal):
        watched = self._subject.watched
        if proposal.value != (list(watched) if watched else None):
            raise traitlets.TraitError(f"`watch` is {proposal.value}; a viewer watches one unit, {watched}: make "
                                       "another")
        return proposal.value

    @traitlets.validate("target", "layer", "view", "labels")
    def _check_change(self, proposal):
        name, value = proposal.trait.name, proposal.value
        self._check(**{"target": None, "layer": None, "view": None, "labels": None, name: value})
        if name == "target" and value is not None and value not in self._known.classes:
            raise traitlets.TraitError(f"`target` is {value}; of {len(self._subject.shares)} classes this viewer lists "
                                       f"the likeliest: make one with target={value}")
        return value

    def _tell_scene(self):
        """Send what does not change: the picture, the classes, the layers."""
        known, pixels, notes = self._known, self._pixels(self.image), []
        low, high = self._limits = self._limits_of(self.image)
        if (low, high) != (0, 1):
            notes.append(f"shown from {full(low)}, black, to {full(high)}, white")
        if len(pixels) not in (1, 3):
            notes.append(f"the mean of {len(pixels)} channels is shown")
        words = self.weights or "those of the model when the viewer was made"
        if not self.weights and self._subject.untrained():
            words += "; all its biases are 0, as before training"
        self._note = "; ".join([f"Weights: {words}", *notes]) + "."
        picture = _occlusion.shown(pixels, self._limits)
        self._scene = {"size": list(known.size), "classes": known.classes, "whole": known.whole,
                       "layers": known.layers, "count": len(self._subject.shares), "level": known.level,
                       "picture": _bytes(picture)}
        self._seconds = self._subject.seconds

    @staticmethod
    def _pixels(image):
        return image if image.ndim == 3 else image[None]

    @staticmethod
    def _limits_of(image):
        low, high = float(image.min()), float(image.max())
        return (0, 1) if low >= 0 and high <= 1 else (low, high)

    # ---- what is known

    @property
    def _answers(self):
        """All that the network has been asked so far: maps, places, units."""
        return self._known.maps, self._known.places, self._known.units

    def _state(self):
        return {name: getattr(self, name) for name in self._opening}

    def problem(self):
        """Return why the picture cannot be covered so; else None."""
        return _occlusion.problem(self._state(), self._known.size)

    def _key(self):
        return self.patch, self.stride, self.fill

    def _target(self):
        return self._known.classes.index(self._known.top if self.target is None else self.target)

    @property
    def heat(self):
        if self.problem():
            return None
        table = self._known.table(self._state())
        return self._blank()[..., 0] if table is None else table[..., self._target()].copy()

    @property
    def winner(self):
        """The class that wins at each place, -1 where not scanned; of the shape of `heat`."""
        table = None if self.problem() else self._known.table(self._state())
        return None if table is None else np.where(np.isnan(table[..., 0]), -1, table[..., -2]).astype(np.int64)

    @property
    def probability(self):
        state = self._state()
        covered = not _occlusion.problem(state, self._known.size) and _occlusion.place(state, self._known.size)
        row = self._known.answer(state) if covered else self._known.whole
        return float("nan") if row is None else float(row[self._target()])

    @property
    def progress(self):
        heat = self.heat
        return 0.0 if heat is None else float((~np.isnan(heat)).mean())

    def _blank(self):
        counts = _occlusion.grid(self._known.size, self.patch, self.stride)
        return np.full((*counts, len(self._known.whole)), np.nan, np.float32)

    # ---- asking

    def _settled(self, change):
        """A new patch has its own map, or none yet; a map that is wanted is made."""
        complete = self.progress == 1
        if change.name == "scanned":
            if change.new and not complete:
                self.scan(wait=True)
            return
        self.stop()
        self.scanned = complete
        self._tell_map()

    def _look(self, change):
        """Ask what is looked at, if it is not known; tell the browser, and what covers."""
        state, known = self._state(), self._known
        if self.view == "deconvnet":
            self._meet_unit(known.unit_key(state))
        elif not _occlusion.problem(state, known.size):
            if (at := _occlusion.place(state, known.size)) is not None:
                self._meet_place(self.patch, self.fill, at[0] * self.stride, at[1] * self.stride)
            self._tell_cover()

    def _meet_place(self, patch, fill, row, col):
        key = patch, fill, row, col
        if key not in self._known.places and self._asks:
            with self._lock:
                shares = self._subject.covered(self._subject.cover(patch, fill), patch, [(row, col)])[0]
            self._known.places[key] = _occlusion.row_of(shares, self._known.classes)
        if key in self._known.places:
            self._place = {"patch": patch, "fill": fill, "row": row, "col": col,
                           "answer": [float(x) for x in self._known.places[key]]}

    def _meet_unit(self, key):
        layer, channel, unit = key
        if key not in self._known.units and self._asks:
            with self._lock:
                self._known.units[key] = self._subject.unit(layer, channel, unit)
        if key in self._known.units:
            found = self._known.units[key]
            most = float(abs(found["pattern"]).max())
            self._unit = {"layer": layer, "channel": channel, "unit": None if unit is None else list(unit),
                          **{name: found[name] for name in ("at", "value", "first", "size")}, "most": most,
                          "map": {"shape": list(found["map"].shape), "data": found["map"].astype(np.float32).tobytes()},
                          "pattern": _bytes(_occlusion.shown(found["pattern"], (-most, most)))}

    def _asked(self, change):
        """The browser asks for a place or a unit that it shows for now, or for a scan, or that it stops."""
        ask = change.new
        if ask.get("what") == "place":
            self._meet_place(*(ask[name] for name in ("patch", "fill", "row", "col")))
        elif ask.get("what") == "unit":
            self._meet_unit((ask["layer"], ask["channel"], None if ask["unit"] is None else tuple(ask["unit"])))
        elif ask.get("what") == "scan":
            self._tell_map()
            self.scan()
        elif ask.get("what") == "stop":
            self.stop(wait=False)

    def _tell_cover(self):
        wanted = {"patch": self.patch, "fill": self.fill}
        if any(self._cover.get(name) != value for name, value in wanted.items()):
            cover = self._pixels(np.asarray(_array.to_numpy(self._subject.cover(self.patch, self.fill))))
            self._cover = wanted | _bytes(_occlusion.shown(cover, self._limits))

    def _tell_map(self, key=None):
        """Send the map of these settings, as far as it is scanned."""
        key = self._key() if key is None else key
        table = self._known.maps.get(key)
        if table is not None:
            self._map = {"patch": key[0], "stride": key[1], "fill": key[2], "shape": list(table.shape),
                         "data": table.tobytes()}

    # ---- scanning

    def scan(self, wait=False):
        """Cover every place that is not known yet, coarse to fine; without waiting, in a thread of its own."""
        if self.problem() or not self._asks or self.progress == 1:
            return
        self.stop()
        self._halt.clear()
        self._known.maps.setdefault(self._key(), self._blank())
        if wait:
            self._scan(self._key(), steady=True)
            return
        self._scanning, self._trouble = True, ""
        self._worker = threading.Thread(target=self._scan_safely, args=(self._key(),), daemon=True)
        self._worker.start()

    def stop(self, wait=True):
        """End a scan; what it has found stays, and the next one goes on from there."""
        self._halt.set()
        worker = self._worker
        if wait and worker is not None and worker is not threading.current_thread():
            worker.join()

    def close(self):
        if "_halt" in vars(self):  # also called for a viewer that was refused before it was made
            self.stop(wait=False)
        super().close()

    def _scan_safely(self, key):
        try:
            self._scan(key)
        except Exception as error:  # nobody would see it: it goes to the page
            self._trouble = f"The scan failed: {type(error).__name__}: {error}"
        finally:
            self._scanning = False

    def _scan(self, key, steady=False):
        """Fill the map; `steady` takes batches of one size, else they are as large as can be stopped in time."""
        patch, stride, fill = key
        table, subject = self._known.maps[key], self._subject
        todo = [at for at in _occlusion.coarse_to_fine(*table.shape[:2]) if np.isnan(table[at][0])]
        cover, size, told = subject.cover(patch, fill), BATCH if steady else 1, 0.0
        while todo and not self._halt.is_set():
            batch, todo = todo[:size], todo[size:]
            start = time.perf_counter()
            with self._lock:
                shares = subject.covered(cover, patch, [(i * stride, j * stride) for i, j in batch])
            spent = time.perf_counter() - start
            for at, row in zip(batch, _occlusion.row_of(shares, self._known.classes)):
                table[at] = row
            if not steady:
                size = max(1, min(BATCH, int(PAUSE / spent * len(batch)), 2 * size))
                if time.perf_counter() - told > PAUSE:
                    self._tell_map(key)
                    told = time.perf_counter()
        self._tell_map(key)
        if not todo and key == self._key():
            self.scanned = True

    # ---- words and picture


    def sentence(self):
        """Return what is true with the patch where it is, and of the map; or what a unit says and sees."""
        return _occlusion.sentence(self._state(), self._known, self.predict)

    def figure(self):
        """Return a figure of the picture with the patch and the map as contours, or of a unit and its pixels."""
        from cnnlib.widgets._occlusion_figure import figure

        return figure(self._state(), self._known, self._pixels(self.image), self._limits, self.sentence())


def _bytes(levels):
    return {"shape": list(levels.shape), "data": levels.tobytes()}
