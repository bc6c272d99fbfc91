"""The widgets' JavaScript says what the library says: Python writes the cases, node answers them.

Each case is drawn here, answered by cnnlib, written to JSON and read by tests/js/*.test.mjs.
"""

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("anywidget")

from adaline_cases import adaline_cases
from architecture_cases import architecture_cases
from backward_cases import backward_cases
from hog_cases import hog_cases
from mask_cases import mask_cases
from match_cases import match_cases
from network_cases import network_cases
from node import NODE, find
from occlusion_cases import occlusion_cases
from pooling_cases import pooling_cases
from race_cases import race_cases
from walker_cases import walker_cases

from cnnlib.widgets import ConvolutionMicroscope, ShapeBuilder, _text
from cnnlib.widgets._layers import PRESETS, read_layers
from cnnlib.widgets._rows import rows_of
from cnnlib.widgets.shape_builder import GOALS

ROOT = Path(__file__).parents[2]
needs_node = pytest.mark.skipif(NODE is None, reason="node is not installed: the JavaScript arithmetic is not compared")


def plain(array):
    """Return an array as JSON can hold it: NaN and infinities as texts."""
    numbers = [x if np.isfinite(x) else str(x) for x in np.asarray(array, np.float64).ravel().tolist()]
    return {"shape": list(np.shape(array)), "data": numbers}


def pixels(rng, shape, kind):
    if kind == "whole":
        return rng.integers(-3, 4, shape)
    numbers = rng.normal(size=shape)
    if kind == "nan":
        numbers.flat[rng.integers(numbers.size)] = np.nan
    return numbers


def microscope_case(rng, k):
    """One drawn state of the microscope: odd sizes, every form of padding, some that do not fit."""
    channels = int(rng.choice([0, 1, 2, 3, 6]))
    depth = (channels,) if channels else ()
    size, kernel_size = rng.integers(1, 9, 2).tolist(), rng.integers(1, 4, 2).tolist()
    if k % 25 == 0:
        size = [67, 71]  # more outputs than 4096: the single-precision path of photos
    kind = ["whole", "real", "nan"][k % 3] if k % 25 else "real"
    padding = [0, 1, 2, (1, 0), (0, 3), "same", "valid"][int(rng.integers(7))]
    state = dict(stride=int(rng.integers(1, 4)), dilation=int(rng.integers(1, 4)), padding=padding,
                 bias=float(rng.choice([0.0, 0.0, 1.5, -0.25])), flip=bool(rng.integers(2)),
                 row=int(rng.integers(9)), col=int(rng.integers(9)), channel=0, predict=bool(k % 11 == 0))
    image = pixels(rng, (*depth, *size), kind)
    kernel = pixels(rng, (*depth, *kernel_size), kind if k % 2 else "real")
    return answers(ConvolutionMicroscope(image, kernel, **state))


def answers(widget):
    state = {name: getattr(widget, name) for name in widget._opening}
    state |= {"image": plain(widget.image), "kernel": plain(widget.kernel)}
    return {"state": state, "problem": widget.problem(), "sentence": widget.sentence(), "code": widget.code(),
            "pattern": widget._code, "output": None if widget.output is None else plain(widget.output)}


def invalid_cases():
    """States that are refused: each kind of impossible value, as a hand can type it."""
    for change in ({"stride": 0}, {"dilation": -1}, {"padding": -1}, {"padding": 40}, {"padding": (0, 17)},
                   {"kernel": np.ones((2, 3, 3))}, {"dilation": 9}, {"kernel": np.ones((9, 2))},
                   {"kernel": np.ones((2, 9))}, {"kernel": np.ones((60, 60))}, {"dilation": 3, "padding": "same"}):
        widget = ConvolutionMicroscope(np.ones((5, 6)), np.ones((3, 3)))
        for name, value in change.items():
            setattr(widget, name, value)
        yield answers(widget)


LAYERS = ["conv 10 5 1 2", "conv 4 3 1 1", "conv 6 3 2 1 1 2", "conv 8 3 1 0 2", "conv 5 2 3", "conv 4 1", "max 2",
          "max 3 2", "max 3 3", "max 3 2 1", "avg 2", "avg 5 1 2", "relu", "norm", "dropout", "linear 10", "linear 84",
          "max 2 2 2", "conv 9 3 0", "conv 3 7 4 3", "conv 12 3 1 1 1 3", "conv 6 3 1 1 nobias", "flatten",
          "linear 12 nobias", "max 3 0", "conv 7 3 -1", {"kind": "keeps", "name": "Tanh()"},
          {"kind": "other", "name": "PixelShuffle"}, {"kind": "dropout", "name": "Dropout(p=0.2)"}]


def shape_case(rng):
    shape = [int(rng.integers(1, 7)), *rng.integers(3, 40, 2).tolist()]
    if rng.integers(2):
        shape[2] = shape[1]
    layers = read_layers([LAYERS[i] for i in rng.integers(len(LAYERS), size=int(rng.integers(0, 6)))])
    widget = ShapeBuilder(shape, photo=None)
    widget.layers, widget.rounding = layers, str(rng.choice(["refuse", "drop", "fill"]))
    widget.focus = int(rng.integers(-1, 6))
    widget.goal = {name: int(rng.integers(1, 5000)) for name in rng.permutation([*GOALS])[:rng.integers(3)].tolist()}
    return shape_answers(widget)


def shape_answers(widget):
    state = {name: getattr(widget, name) for name in widget._opening}
    return {"state": state, "rows": widget.table, "sentence": widget.sentence(), "code": widget.code(),
            "pattern": widget._code}


def number_cases(rng):
    numbers = [0, -0.0, 1, -1, 0.5, 1 / 3, -1 / 3, 0.03125, -0.03125, 0.00005, 0.0005, -1e-7, 5.5252083e-05, 1e-12,
               12345.678, 1e6, 0.1, 3e20, -1e16, 123456792, 2**24 + 2, -(2**31) - 256, 7.5e15,
               float("nan"), float("inf"), float("-inf"),
               *rng.normal(size=40), *(rng.normal(size=40) * 1000)]
    for number in numbers:
        single = float(np.float32(number))
        yield {"number": plain([single])["data"][0], "full": _text.full(single), "literal": _text.literal(single)}


def test_code_says_whole_numbers_exactly():
    """Every whole number that is written is read as itself, also where single precision has gaps."""
    for number in (2**24 + 1, 123456792, -987654321, 2**31 + 3, 9007199254740991):
        assert eval(_text.literal(number)) == number
    singles = np.float32([2**24 + 2, 123456792, 7.5e15])
    assert eval(_text.literal(singles)) == singles.tolist()


def presets():
    for name in PRESETS:
        yield shape_answers(ShapeBuilder(layers=name, photo=None))


@pytest.fixture(scope="module")
def cases(tmp_path_factory):
    rng = np.random.default_rng(20)
    found = {
        "microscope": [microscope_case(rng, k) for k in range(100)] + list(invalid_cases()),
        "shapes": [shape_case(rng) for _ in range(150)] + list(presets()),
        "numbers": list(number_cases(rng)),
        "architecture": architecture_cases(np.random.default_rng(40), plain),
        "pooling": pooling_cases(rng, plain),
        "backward": backward_cases(rng, plain),
        "network": network_cases(np.random.default_rng(23), plain),
        "hog": hog_cases(np.random.default_rng(13), plain),
        "occlusion": occlusion_cases(np.random.default_rng(42), plain),
        "race": race_cases(np.random.default_rng(33), plain),
        "masks": mask_cases(np.random.default_rng(12), plain),
        "matches": match_cases(np.random.default_rng(14), plain),
        "walker": walker_cases(np.random.default_rng(14), plain),
        "adaline": adaline_cases(np.random.default_rng(10), plain),
    }
    folder = tmp_path_factory.mktemp("cases")
    for name, of_it in found.items():
        (folder / f"{name}.json").write_text(json.dumps(of_it), encoding="utf-8")
    return folder, found


def test_cases_are_worth_asking(cases):
    """The draw holds what it is meant to hold: refusals, NaN, photos, every fate of a row."""
    found = cases[1]
    problems = [case["problem"] for case in found["microscope"] if case["problem"]]
    assert len(problems) > 15
    assert sum("nan" in case["state"]["image"]["data"] for case in found["microscope"]) > 10
    assert sum("read by no window" in case["sentence"] for case in found["microscope"]) > 10
    rows = [row for case in found["shapes"] for row in case["rows"]]
    for word in ("does not fit", "groups", "needs maps", "more than half", "drops", "fills", "flattens", "smallest",
                 "shape unknown"):
        assert any(word in row.get("trouble", "") + row.get("note", "") for row in rows), word
    assert sum("waits" in row for row in rows) > 10
    sentences = " ".join(case["sentence"] for case in found["shapes"])
    assert sentences.count(", met") > 5 and sentences.count(", not yet") > 5


def node_tests(root, path, of=None):
    """Run tests/js of a checkout, or of a copy of its two folders, on the cases; all, or those that load a file."""
    tests = sorted((root / "tests" / "js").glob("*.test.mjs"))
    chosen = [str(test) for test in tests if of is None or of in loaded(test)]
    assert chosen, f"no test loads {of}"
    return subprocess.run([NODE, "--test", *chosen], env={**os.environ, "CNNLIB_CASES": str(path)},
                          capture_output=True, text=True)


def loaded(file, seen=()):
    """The files that a module imports, and those import, itself among them."""
    found = {file, *seen}
    for name in re.findall(r'from "([.][^"]+)"', file.read_text(encoding="utf-8")):
        if (other := (file.parent / name).resolve()) not in found:
            found |= loaded(other, found)
    return found


def test_without_node_the_one_beside_playwright_answers():
    found = find(which=lambda name: None)
    assert subprocess.run([found, "-p", "6 * 7"], capture_output=True, text=True).stdout.strip() == "42"
    assert find(which=lambda name: None, playwright=lambda name: None) is None


@needs_node
def test_javascript_agrees(cases):
    run = node_tests(ROOT, cases[0])
    assert run.returncode == 0, run.stdout[-6000:] + run.stderr[-2000:]
    assert "# skipped 0" in run.stdout and "# pass 0" not in run.stdout, run.stdout[-600:]


# Three faults for each widget (the filter turned, or what stands for it; rows and columns swapped; the last one lost):
# file, what stands there, what is planted.
FAULTS = {
    "microscope: filter turned": (
        "microscope_words.js", "s.flip ? turned(s.kernel) : s.kernel", "s.flip ? s.kernel : turned(s.kernel)"),
    "microscope: row and column": (
        "kit/maths.js", "[floor(k / cols) * g.dilation - g.pad[0][0], (k % cols) * g.dilation - g.pad[1][0]]",
        "[(k % cols) * g.dilation - g.pad[0][0], floor(k / cols) * g.dilation - g.pad[1][0]]"),
    "microscope: last output": ("kit/sweep.js", "let i = 0; i < rows; i++", "let i = 0; i < rows - 1; i++"),
    "builder: own stride in the field": (
        "shape_words.js", "jump = jump.map((x, a) => x * at(a, 1));", "jump = jump.map((x, a) => at(a, 1));"),
    "builder: row and column": ("shape_words.js", "[depth, rows.out, cols.out]", "[depth, cols.out, rows.out]"),
    "builder: last row": ("shape_words.js", "return s.layers.map((", "return s.layers.slice(0, -1).map(("),
    "architecture: row and column": (
        "architecture_words.js", "node.start[a] + i * node.jump[a]", "node.start[1 - a] + i * node.jump[1 - a]"),
    "architecture: the last stage": (
        "architecture_words.js", "min(level.length - 1, max(0, level", "min(level.length - 2, max(0, level"),
    "architecture: the whole net for the share": (
        "architecture_words.js", "(1000 * value) / max(1, total)", "(1000 * value) / max(1, value)"),
    "architecture: into the last part": ("architecture_words.js", "way.at(-1).parts[0]", "way.at(-1).parts.at(-1)"),
    "architecture: of the others always the first": (
        "architecture_words.js", "others[s.compare], second", "s.compare && Object.values(others)[0], second"),
    "pooling: of equal ones the last": ("pooling_words.js", "data[k] > data[best] ||", "data[k] >= data[best] ||"),
    "pooling: row and column": ("pooling_words.js", "found.push(r * w + c)", "found.push(c * h + r)"),
    "pooling: last output": ("pooling_words.js", "return floor(room / stride) + 1;", "return floor(room / stride);"),
    "backward: stride": ("backward_words.js", ": strideOf(s) * o + d * t - pads[n]", ": o + d * t - pads[n]"),
    "backward: row and column": ("backward_words.js", "[[i, p], [j, q]].map", "[[j, q], [i, p]].map"),
    "backward: padding of rows and columns": ("backward_words.js", "+ d * t - pads[n]))", "+ d * t - pads[1 - n]))"),
    "backward: the channel": ("backward_words.js", "c * h * w, (c + 1) * h * w", "0, h * w"),
    "backward: slopes of the last output": (
        "backward_words.js", "slopes(s, i * s.own.shape[1] + j)", "slopes(s, j * s.own.shape[0] + i)"),
    "backward: last output": ("backward_words.js", "o <= k : o === k", "o < k : o === k"),
    "network: row and column": (
        "kit/network.js", "x[(c * before[1] + r) * before[2] + s]", "x[(c * before[1] + s) * before[2] + r]"),
    "network: filter turned": ("kit/network.js", "each(i * w + j, p * kw + q,", "each(i * w + j, q * kh + p,"),
    "network: last stage back": ("kit/network.js", "let n = stages.length; n > 0", "let n = stages.length - 1; n > 0"),
    "network: a tie": ("kit/network.js", "&& list[n + 2] < at)", "&& list[n + 2] > at)"),
    "network: the sum of the first map": (
        "network_words.js", "sums[min(max(channel - sums[0][0], 0), sums.length - 1)]", "sums[0]"),
    "network: the largest sum, with its sign": ("network_words.js", "abs(each[1]) > abs(best[1])", "each[1] > best[1]"),
    "network: what a unit at the rim sees": ("network_words.js", "ends[1].rows[1]]", "ends[0].rows[1]]"),
    "network: the last page": ("network_layout.js", "length: ceil(count / few)", "length: floor(count / few)"),
    "network: the frame": ("kit/seen.js", "first + size / 2 - 0.5", "first + size / 2"),
    "occlusion: the map one step on": (
        "occlusion_words.js", "first = (i * cols + j) * n;", "first = (i * cols + j + 1) * n;"),
    "occlusion: row and column": ("occlusion_words.js", "first = (i * cols + j) * n;", "first = (j * rows + i) * n;"),
    "occlusion: the last column": (
        "occlusion_words.js", "j < cols; j++) {\n    const row", "j < cols - 1; j++) {\n    const row"),
    "occlusion: the last row of places": (
        "occlusion_words.js", "floor((n - patch) / stride) + 1", "floor((n - patch) / stride) + (stride > 1 ? 0 : 1)"),
    "race: slope and step swapped": (
        "kit/race.js", "at[i] -= RULES[rule](g[i] +", "at[i] -= RULES[rule](g[1 - i] +"),
    "race: memory shared between the weights": (
        "kit/race.js", "memory = [{}, {}]", "memory = [{}].flatMap((m) => [m, m])"),
    "race: at the hole, not after it": (
        "kit/race.js", "hole < gone || (hole === gone &&", "hole + 1 < gone || (hole === gone - 1 &&"),
    "race: last step": ("kit/race.js", "t < steps; t++", "t < steps - 1; t++"),
    "masks: row and column": (
        "kit/edges.js", "picture.shape, floor(k / size), k % size, 1, weights[k])",
        "picture.shape, k % size, floor(k / size), 1, weights[k])"),
    "masks: turned the other way": ("kit/edges.js", "(p - steps * radius) % n", "(p + steps * radius) % n"),
    "masks: of equal turns the last": ("kit/edges.js", "if (x > strength[k])", "if (x >= strength[k])"),
    "masks: thinned along the edge": (
        "kit/edges.js", "const side = (direction[k] + 2) % 8,", "const side = direction[k],"),
    "masks: both of two equals stay": (
        "kit/edges.js", "own > (strength[k - step] || 0)", "own >= (strength[k - step] || 0)"),
    "masks: joined by sides only": (
        "kit/edges.js", "for (const [down, right] of WAYS) {",
        "for (const [down, right] of WAYS.filter(([a, b]) => !(a * b))) {"),
    "masks: the wrong side is bright": (
        "mask_words.js", '"brighter on the right of", "darker', '"darker on the right of", "brighter'),
    "hog: row and column": (
        "hog_words.js", "floor(i / ch) * cols + floor(j / cw)", "floor(j / cw) * rows + floor(i / ch)"),
    "hog: degrees on a line": ("hog_words.js", "[[(lower + n) % n, length", "[[max(lower, 0), length"),
    "hog: last pixel of the Gaussian": ("hog_words.js", "i < ch * down; i++", "i < ch * down - 1; i++"),
    "matches: the ratio upside down": (
        "match_words.js", "scene.distance[2 * k] < ratio * scene", "ratio * scene.distance[2 * k] < scene"),
    "matches: row and column": ("match_words.js", "line[0] * row + line[1] * col", "line[0] * col + line[1] * row"),
    "matches: the right ones for the wrong": (
        "match_words.js", "filter((k) => !scene.right", "filter((k) => scene.right"),
    "matches: last draw": ("match_words.js", "known.draws < s.draws; known", "known.draws < s.draws - 1; known"),
    "matches: fours on a line": ("match_words.js", "if (!usable(...ends)) return null;", ""),
    "matches: the last one picked": ("match_words.js", "[...new Set(s.picked)]", "[...new Set(s.picked.slice(0, -1))]"),
    "matches: an end by hand": ("match_words.js", "pick.slice(0, 2), pick.slice(2)", "pick.slice(2), pick.slice(0, 2)"),
    "matches: A moved the other way": ("match_words.js", "[r, c, z] = adjugate(rows);", "[r, c, z] = rows;"),
    "matches: one way only": ("match_words.js", " && (!s.cross_check || scene.mutual[k])", ""),
    "walker: row and column": ("kit/sift.js", "(row + down) * w + col + right", "(row + right) * w + col + down"),
    "walker: turned the other way": (
        "kit/sift.js", "[row + cos * down + sin * right, col - sin * down + cos * right]",
        "[row + cos * down - sin * right, col + sin * down + cos * right]"),
    "walker: the last blur but one begins the next octave": (
        "kit/sift.js", "octaves[place - 1].layer(STEPS)", "octaves[place - 1].layer(STEPS - 1)"),
    "walker: the last orientation": (
        "walker_words.js", "spot.angles.forEach((angle)", "spot.angles.slice(0, 1).forEach((angle)"),
    "walker: found too faint": ("walker_words.js", "if (!(spot.found > half)) continue;", ""),
    "adaline: turned the other way": ("adaline_words.js", "w + rate * error *", "w - rate * error *"),
    "adaline: row and column": (
        "adaline_words.js", "reduce((sum, v, i) => sum + knobs[i] * v, 0)",
        "reduce((sum, v, i) => sum + knobs[4 * (i % 4) + (i >> 2)] * v, 0)"),
    "adaline: the last pattern": ("adaline_words.js", "of shows) {", "of shows.slice(0, -1)) {"),
    "adaline: threshold before the error": (
        "adaline_words.js", 'rule === "adaline" ? total', 'rule !== "adaline" ? total'),
    "ring of zeros: one row less": ("kit/ring.js", "rows = top + h + pad[0][1]", "rows = top + h"),
}


@needs_node
@pytest.mark.parametrize("fault", [None, *FAULTS], ids=["none", *FAULTS])
def test_a_planted_fault_is_found(cases, tmp_path, fault):
    """A test that has never failed says little: here each is seen to fail, and to pass where nothing is planted."""
    for folder in ("cnnlib/widgets/static", "tests/js"):
        shutil.copytree(ROOT / folder, tmp_path / folder)
    name, old, new = FAULTS[fault or "ring of zeros: one row less"]
    file = (tmp_path / "cnnlib/widgets/static" / name).resolve()
    text = file.read_text(encoding="utf-8")
    assert text.count(old) == 1, f"{name} has changed: plant the fault anew"
    file.write_text(text.replace(old, new) if fault else text, encoding="utf-8")
    run = node_tests(tmp_path, cases[0], file)
    assert (run.returncode == 0) == (fault is None), run.stdout[-3000:]


def test_rows_match_known_networks():
    """The paper's facts: parameters, multiply-adds and receptive fields (facts of lecture 21 and 40)."""
    def last(name, kind):
        builder = ShapeBuilder(layers=name, photo=None)
        rows = [row for layer, row in zip(builder.layers, builder.table) if layer["kind"] == kind]
        return builder, rows[-1]

    builder, pool5 = last("VGG-16", "max")
    assert sum(row["parameters"] for row in builder.table) == 138_357_544
    assert (pool5["shape"], pool5["sees"], pool5["jump"]) == ([512, 7, 7], [212, 212], [32, 32])
    builder, pool5 = last("AlexNet", "max")
    assert sum(row["parameters"] for row in builder.table) == 60_965_224
    assert sum(row["multiply_adds"] for row in builder.table) == 724_406_816
    assert pool5["sees"] == [195, 195]
    builder, c5 = last("LeNet-5", "conv")
    assert c5["sees"] == [32, 32]
    assert rows_of([3, 32, 32], read_layers(["conv 10 5 1 2"]), "refuse")[0]["parameters"] == 760
