"""What the occlusion viewer asks of a network, and what it says of the answers.

An answer is a row of numbers: the probability of each class that is listed, then the class that wins (its number among
all) and that one's probability. A unit that is watched stands last in the list, as class -1: what it says, as a share
of what it says of the whole picture, 0 where a ReLU would let nothing pass. The sentences are the same in
static/occlusion_words.js.
"""

import copy
import math
import time
from dataclasses import dataclass

import numpy as np

from cnnlib import _array, images
from cnnlib.activations import softmax
from cnnlib.architectures._blocks import zeros_before
from cnnlib.inspection import activations, deconvnet
from cnnlib.inspection._engine import first_array, is_ours, recorded, run
from cnnlib.inspection.occluded import cover_of, covered_logits
from cnnlib.inspection.projection import layers_to, reachable
from cnnlib.layers import shapes
from cnnlib.widgets import _torch_model
from cnnlib.widgets._text import full, places

WATCHED = -1  # stands for the unit that is watched, where a class is meant
LISTED = 20  # classes, at most, that one can choose from
LARGEST = 320  # pixels a side, at most, of a picture as it is shown
COARSE = 8  # the first round of a scan looks at every eighth place, the next at every fourth, …


# ---- the network

class Subject:
    """A copy of a model, in evaluation, and one picture that it is asked about.

    Parameters
    ----------
    model : cnnlib.layers.Module or torch.nn.Module
    image : array of shape (C, H, W) or (H, W)

    Attributes
    ----------
    x : array of shape (C, H, W)
        The picture in the model's library and dtype, on its device.
    shares : array of shape (K,), float64
        The probabilities of the whole picture.
    seconds : float
        What one picture takes.
    layers : list of dict
        Name and shape (maps, rows, columns) of each layer from which there is a way back to the pixels.
    watched : (layer, channel, row, col) or None
        The unit that is asked for beside the classes.
    level : float
        What it says of the whole picture.
    """

    watched, level = None, 0.0

    def __init__(self, model, image):
        if isinstance(model, type) or not callable(getattr(model, "forward", None)):
            made = f": give a network, {model.__name__}(…)" if isinstance(model, type) else ""
            raise TypeError(f"`model` is {model!r}; it must be a layer or a net of cnnlib.layers or torch.nn{made}")
        self.net = copy.deepcopy(model).eval()
        like = first_array(self.net)
        pixels = np.array(image if np.ndim(image) == 3 else image[None])
        if like is not None:
            self.x = _array.constant(pixels, like=like)
        else:
            self.x = pixels if is_ours(self.net) else _torch_model.tensor(pixels)
        try:
            with np.errstate(all="ignore"):  # what is no number is told below
                logits = run(self.net, self.x[None])
        except (ValueError, TypeError, RuntimeError) as error:
            raise ValueError(f"`model` does not take an `image` of shape {np.shape(image)}: {error}") from error
        if logits.ndim != 2 or logits.shape[1] < 2:
            raise ValueError(f"`model` gives shape {tuple(logits.shape)} for one picture; it must give scores "
                             "(1, classes), at least two")
        self.shares = self._shares(logits)[0]
        start = time.perf_counter()
        run(self.net, self.x[None])  # the second time costs what each costs
        self.seconds = time.perf_counter() - start
        names = reachable(self.net)
        found = activations(self.net, self.x[None], names) if names else {}
        self.layers = [{"name": name, "shape": list(maps.shape[1:])} for name, maps in found.items()]

    @staticmethod
    def _shares(logits):
        logits = _array.to_numpy(logits).astype(np.float64)
        if not np.isfinite(logits).all():
            raise ValueError("`model` gives scores that are NaN or infinite for this picture")
        return softmax(logits, 1)

    def cover(self, patch, fill):
        """Return the picture that is seen through the patch; noise is the same each time."""
        return cover_of(self.x[None], fill, (patch, patch), np.random.default_rng(0))[0]

    def covered(self, cover, patch, at):
        """Return the probabilities (N, K) with the patch at each of these places: its upper left pixels."""
        with np.errstate(all="ignore"), recorded(self.net, [self.watched[0]] if self.watched else []) as found:
            logits = covered_logits(self.net, self.x, cover, at, (patch, patch))
        shares = self._shares(logits)
        return shares if self.watched is None else np.column_stack([shares, self._share_of(found)])

    def watch(self, layer, channel, unit=None):
        """Ask for a unit, too, its map's strongest without one; return (layer, channel, row, col).

        Raises
        ------
        ValueError
            There is no such layer, map or unit, or it does not fire.
        """
        wanted = (layer, channel) if unit is None else (layer, channel, tuple(unit))
        shapes_of = {each["name"]: each["shape"] for each in self.layers}
        if layer not in shapes_of:
            raise ValueError(f"`watch` is {wanted!r}; the layers are {', '.join(shapes_of) or 'none'}")
        maps, *size = shapes_of[layer]
        if not 0 <= channel < maps or not all(0 <= at < n for at, n in zip(unit or (0, 0), size)):
            raise ValueError(f"`watch` is {wanted!r}; {layer} has {maps} maps of {size[0]}×{size[1]} units")
        found = self.unit(layer, channel, unit)
        if found["value"] <= 0:
            raise ValueError(f"`watch` is {wanted!r}; that unit says {full(found['value'])} of the whole picture: one "
                             "that does not fire cannot fall")
        self.watched, self.level = (layer, channel, *found["at"]), found["value"]
        return self.watched

    def whole(self):
        """Return the answer for the whole picture: probabilities, and 1 for a unit that is watched."""
        return self.shares if self.watched is None else np.append(self.shares, 1.0)

    def _share_of(self, found):
        layer, channel, row, col = self.watched
        levels = _array.to_numpy(found[layer])[:, channel, row, col].astype(np.float64)
        return np.maximum(levels, 0) / self.level

    def unit(self, layer, channel, unit):
        """Return what a map says, and what of the picture made one of its units say so."""
        maps = _array.to_numpy(activations(self.net, self.x[None], [layer])[layer])[0, channel]
        row, col = divmod(int(maps.argmax()), maps.shape[1]) if unit is None else unit
        pattern = _array.to_numpy(deconvnet(self.net, self.x, layer, channel, (row, col)))
        first, size = self._field(layer, (row, col))
        return {"map": maps, "at": [row, col], "value": float(maps[row, col]), "pattern": pattern, "first": first,
                "size": size}

    def _field(self, layer, unit):
        """Return the first pixel (row, col) that a unit sees, and how many rows and columns."""
        first, reach = (0, 0), shapes.start(tuple(self.x.shape))
        for _, each in layers_to(self.net, layer):
            first = tuple(start - before * jump for start, before, jump in zip(first, zeros_before(each), reach.jump))
            reach = shapes.after(each, reach)
        return [start + jump * at for start, jump, at in zip(first, reach.jump, unit)], list(reach.field)

    def untrained(self):
        """Whether there are biases, and all are 0: as they are before training."""
        biases = [_array.to_numpy(getattr(values, "data", values)) for name, values in self.net.named_parameters()
                  if name.rpartition(".")[2] == "bias"]
        return bool(biases) and not any(bias.any() for bias in biases)


def listed(shares, target):
    """Return the classes that one can choose from: all, or of many the likeliest and the target, in their order."""
    order = np.argsort(-shares, kind="stable")[:LISTED].tolist()
    return sorted({*order, *([] if target in (None, WATCHED) else [target])})


def row_of(shares, classes):
    """Return an answer as a row of numbers, from the probabilities of all classes; (N, K) gives N rows.

    Where a unit is watched, the last of `shares` is its.
    """
    best = (shares[..., :WATCHED] if WATCHED in classes else shares).argmax(-1)[..., None]
    return np.concatenate([shares[..., classes], best, np.take_along_axis(shares, best, -1)], -1).astype(np.float32)


# ---- places

def grid(size, patch, stride):
    """Return how many rows and columns of places a patch has, in steps."""
    return tuple((n - patch) // stride + 1 for n in size)


def coarse_to_fine(rows, cols):
    """Return all places (i, j), those that are far apart first."""
    found, seen = [], set()
    step = COARSE
    while step:
        for i in range(0, rows, step):
            for j in range(0, cols, step):
                if (i, j) not in seen:
                    seen.add((i, j))
                    found.append((i, j))
        step //= 2
    return found


def place(s, size):
    """Return the place (i, j) nearest to the patch's upper left pixel; None where none is given."""
    if s["row"] is None or s["col"] is None:
        return None
    counts = grid(size, s["patch"], s["stride"])
    return [min(max(math.floor(at / s["stride"] + 0.5), 0), n - 1) for at, n in zip((s["row"], s["col"]), counts)]


# ---- words

@dataclass
class Scene:
    """What is known: the picture's size, the classes, and the answers so far.

    Parameters
    ----------
    size : (rows, cols)
    classes : list of int
        Those that are listed.
    whole : sequence of float
        The answer for the whole picture, a row as above.
    layers : list of dict
    maps : dict of (patch, stride, fill) -> array of shape (rows, cols, numbers), NaN where not scanned
    places : dict of (patch, fill, row, col) -> row
    units : dict of (layer, channel, unit) -> dict
    level : float
        What the unit that is watched says of the whole picture.
    """

    size: tuple
    classes: list
    whole: list
    layers: list
    maps: dict
    places: dict
    units: dict
    level: float = 0.0

    @property
    def top(self):
        return int(self.whole[-2])

    def table(self, s):
        """Return the map that belongs to these settings, or None."""
        return self.maps.get((s["patch"], s["stride"], s["fill"]))

    def answer(self, s):
        """Return the answer with the patch where it is, or None."""
        i, j = place(s, self.size)
        table = self.table(s)
        if table is not None and not np.isnan(table[i, j, 0]):
            return table[i, j]
        return self.places.get((s["patch"], s["fill"], i * s["stride"], j * s["stride"]))

    def layer(self, s):
        """Return the layer that is looked at: by its name, or the last from which there is a way back."""
        return next((layer for layer in self.layers if layer["name"] == s["layer"]), self.layers[-1])

    def unit_key(self, s):
        """Return (layer, channel, unit) of what is looked at, the nearest that there is."""
        layer = self.layer(s)
        maps, *size = layer["shape"]
        unit = None if s["unit"] is None else tuple(min(max(at, 0), n - 1) for at, n in zip(s["unit"], size))
        return layer["name"], min(max(s["channel"], 0), maps - 1), unit


def problem(s, size):
    """Return why the picture cannot be covered so; else None."""
    if s["view"] != "occlusion":
        return None
    patch, stride = s["patch"], s["stride"]
    if patch < 1 or stride < 1:
        name, value = ("patch", patch) if patch < 1 else ("step", stride)
        return f"{name} {full(value)}: at least 1 pixel"
    if patch > min(size):
        return f"patch {patch}×{patch}: larger than the picture, {size[0]}×{size[1]}"
    return None


def name_of(s, k):
    """Return the name of a class, or of the unit that is watched."""
    if k == WATCHED:
        layer, channel, row, col = s["watch"]
        return f"{layer}, map {channel}, row {row}, column {col}"
    return s["labels"][k] if s["labels"] else f"class {k}"


def percent(share):
    """Return a probability in whole percent, or what it is below or above where that would be 0 or 100."""
    share = float(share)
    if 0 < share < 0.005:
        return "under 1"
    return "over 99" if 0.995 <= share < 1 else str(math.floor(100 * share + 0.5))


def sentence(s, scene, hidden):
    """Return what is true of a state, `s`, by what is known."""
    if trouble := problem(s, scene.size):
        return f"Refused: {trouble}."
    if s["view"] == "deconvnet":
        return unit_words(s, scene, hidden)
    target = scene.top if s["target"] is None else s["target"]
    at = scene.classes.index(target)
    name, before = name_of(s, target), percent(scene.whole[at])
    whole = f"{name}: {_two(scene.level)}, here 100 percent" if target == WATCHED else f"{name}, {before} percent"
    if target != scene.top:
        whole += f"; the answer is {name_of(s, scene.top)}, {percent(scene.whole[-1])} percent"
    if hidden:
        told = _scan_words(s, scene)
        missing = f" {told} scanned with these settings: press Scan." if told else ""
        return f"{whole}. Where does a patch hurt {name} most?{missing}{_patch_words(s, scene, target, at, hidden)}"
    patch = _patch_words(s, scene, target, at, hidden)[1:]
    rest = _map_words(s, scene, at)
    return f"{patch} {rest}" if patch else f"{whole}. {rest}"


def _patch_words(s, scene, target, at, hidden):
    found = place(s, scene.size)
    if found is None:
        return ""
    words = f" Patch at row {found[0] * s['stride']}, column {found[1] * s['stride']}: "
    row = scene.answer(s)
    if hidden:
        return f"{words}?"
    if row is None:
        return f"{words}not asked yet."
    name, before, after = name_of(s, target), percent(scene.whole[at]), percent(row[at])
    if before == after:
        words += f"{name} stays at {after} percent"
    else:
        words += f"{name} {'falls' if row[at] < scene.whole[at] else 'rises'} from {before} to {after} percent"
    best = int(row[-2])
    if best != scene.top:
        words += ", and wins" if best == target else f", and {name_of(s, best)} wins with {percent(row[-1])}"
    return f"{words}."


def _scan_words(s, scene):
    """Return how much of the map is scanned, None where all of it is."""
    rows, cols = grid(scene.size, s["patch"], s["stride"])
    table = scene.table(s)
    done = 0 if table is None else int((~np.isnan(table[..., 0])).sum())
    return f"{done:,} of {_places(rows * cols)}" if done < rows * cols else None


def _map_words(s, scene, at):
    if told := _scan_words(s, scene):
        return f"{told} scanned."
    (rows, cols), table = grid(scene.size, s["patch"], s["stride"]), scene.table(s)
    i, j = np.unravel_index(int(table[..., at].argmin()), (rows, cols))
    words = (f"Lowest of {_places(rows * cols)}: {percent(table[i, j, at])} percent at row {i * s['stride']}, column "
             f"{j * s['stride']}.")
    others = table[..., -2][table[..., -2] != scene.top].astype(int)
    if others.size:
        counts = np.bincount(others)
        words += (f" Another class than {name_of(s, scene.top)} wins at {_places(others.size)}, most often "
                  f"{name_of(s, counts.argmax())}.")
    return words


def _places(count):
    return f"{count:,} place{'' if count == 1 else 's'}"


def unit_words(s, scene, hidden):
    """Return what a unit says and sees."""
    name, channel, unit = key = scene.unit_key(s)
    whose = f"{name}, map {channel}"
    if unit is not None:
        whose += f", row {unit[0]}, column {unit[1]}"
    found = scene.units.get(key)
    if found is None:
        return f"{whose}: not asked yet."
    if unit is None:
        whose += f": its strongest unit is row {found['at'][0]}, column {found['at'][1]}"
    value = _two(found["value"])
    if hidden:
        return f"{whose}: {value}. How far does it see?"
    field = [[first, first + n - 1] for first, n in zip(found["first"], found["size"])]
    seen = [[max(first, 0), min(last, n - 1)] for (first, last), n in zip(field, scene.size)]
    silent = "" if found["value"] > 0 else "; it does not fire, so nothing goes back"
    return f"{whose}: {value}{silent}; it sees rows {places(*seen[0])}, columns {places(*seen[1])}."


def _two(value):
    """Return a number with at most two decimals."""
    return full(math.floor(100 * value + 0.5) / 100)


# ---- pictures

def shown(pixels, limits):
    """Return (C, H, W) as levels from 0 to 255, (H, W) or (H, W, 3): `limits` are black and white.

    Other numbers of channels than three become their mean; what is larger than 320 pixels a side is reduced.
    """
    pixels = np.asarray(pixels, np.float64)
    picture = images.to_hwc(pixels) if len(pixels) == 3 else pixels.mean(0)
    low, high = limits
    picture = np.clip((picture - low) / (high - low or 1), 0, 1)
    size = picture.shape[:2]
    if max(size) > LARGEST:
        picture = np.clip(images.resize(picture, tuple(max(1, round(n * LARGEST / max(size))) for n in size)), 0, 1)
    return np.round(255 * picture).astype(np.uint8)
