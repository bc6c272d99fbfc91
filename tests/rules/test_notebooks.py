"""Every notebook is in normal form, within its limits, the same at its set-up, and says what its pictures show."""

import copy
import re
import statistics
from functools import partial

import nbformat
import pytest
from checkout import ROOT, notebooks, source, texts
from nbval.plugin import find_comment_markers, find_metadata_tags, get_sanitize_patterns

from cnnlib import course
from cnnlib.recipes import notebooks as recipe
from cnnlib.recipes import stamp

# Cells whose stored output nbval does not compare, beside each set-up cell, and why. No other cell may carry the tag.
NOT_COMPARED = {
    "00_start_here": {"doctor-table": "describes this machine"},
    "10_history": {"gpu-check": "times on this machine"},
    "11_why_images_are_hard": {
        "gpu-check": "says on which device it ran",
        "exercise-viewer": "says shares of a net trained here, which differ from machine to machine",
    },
    "12_edges": {"gpu-check": "times on this machine"},
    "13_hog": {"gpu-check": "says on which device it ran"},
    "14_sift": {
        "opencv-table": "times on this machine, and OpenCV where it is installed",
        "gpu-check": "says on which device it ran",
        "play-ratio": "counts matches, of which one or two hang on the last digit of their descriptors",
    },
    "15_handcrafted_vs_learned": {
        "table-print": "says shares of nets trained here, which differ in the last percent from machine to machine",
        "faces-code": "says shares of nets trained here, which differ from machine to machine",
        "digits-code": "says shares of nets trained here, which differ in the last percent from machine to machine",
        "gpu-check": "times on this machine",
    },
    "20_convolution": {"gpu-check": "says on which device it ran"},
    "21_shapes_and_receptive_fields": {"gpu-check": "says on which device it ran"},
    "22_pooling": {"gpu-check": "says on which device it ran"},
    "23_fully_connected_and_the_whole_net": {
        "gpu-check": "says on which device it ran",
        "play-viewer": "says shares of a net trained here, which differ in the last percent from machine to machine",
    },
    "24_fast_convolution": {
        "onednn": "names the code that oneDNN chose for this processor",
        "interpreted": "needs Triton, and says so where there is none",
        "assembly": "needs Triton's compiler, and says so where there is none",
        "gpu-times": "times on a GPU, or says that there is none",
        "profiler": "names the kernels of this device",
    },
    "30_backprop": {"gpu-check": "says on which device it ran"},
    "31_backprop_convolution": {"gpu-check": "says on which device it ran"},
    "32_backprop_pooling_and_friends": {"gpu-check": "says on which device it ran"},
    "33_losses_and_optimisers": {"gpu-check": "says on which device it ran"},
    "34_train_a_cnn_in_numpy": {
        "gpu-check": "times on this machine",
        "play-viewer": "says shares of a net trained here, which differ in the last percent from machine to machine",
    },
    "40_lenet5": {
        "gpu-check": "says on which device it ran",
        "play-viewer": "says shares of a net trained here, which differ in the last percent from machine to machine",
    },
    "41_alexnet": {"gpu-check": "trains on a GPU, or says that there is none"},
    "42_zfnet": {
        "gpu-check": "looks into published weights on a GPU, or says that there is none",
        "gpu-train": "trains where there is a GPU",
        "play-occlusion": "says shares of a net trained here, which differ in the last percent from machine to machine",
    },
    "43_vgg": {
        "experiment-table": "errors of nets trained here, which differ in the last percent from machine to machine",
        "gpu-check": "times and trains on a GPU, or says that there is none",
    },
    "44_googlenet": {"gpu-check": "trains on a GPU, or says that there is none", "experiment-time": "times here"},
    "45_resnet": {"gpu-check": "trains where there is a GPU"},
    "46_ten_years_of_imagenet": {
        "price-time": "times on this machine",
        "gpu-check": "fetches and judges weights where there is a GPU",
    },
}

LIMITS = {"cells": (40, 80), "words": (1500, 3500), "sections": (8, 12)}
START_LIMITS = {"cells": (12, 50), "words": (400, 2000), "sections": (4, 10)}  # 00: a first picture within ten seconds
MOST_CODE_LINES, MOST_LINES_IN_A_CELL, MEDIAN_LINES = 200, 20, 5
LARGEST_FILE = 1_000_000  # bytes
LONGEST_RUN = 60  # seconds
ALL_RUNS = 720  # seconds, of one lecture after the other: what `make test` has for them
RUN_TIME = re.compile(r"Runs on: CPU in (\d+) s")
SLIDE_TYPES = {"slide", "subslide", "fragment", "skip", "notes", "-"}
# Anything that reads like one of nbval's comments, whether or not it is spelt as nbval wants it.
MARKER = re.compile(r"#[^\n]*\b(?:NBVAL|PYTEST_VALIDATE)_\w+", re.IGNORECASE)
ABSOLUTE_PATH = re.compile(rf"(?<![\w.:/])(?:/(?:{recipe.FOLDERS})/|~/|[A-Z]:\\)")


def lines_of_code(cell):
    return [line for line in source(cell).split("\n") if line.strip() and not line.lstrip().startswith("#")]


def words(notebook):
    """Words of prose: markdown without addresses, formulas, code and tags."""
    text = "\n".join(source(cell) for cell in notebook["cells"] if cell["cell_type"] == "markdown")
    text = re.sub(r"```.*?```|\$\$.*?\$\$|\$[^$]*\$|`[^`]*`|<[^>]*>|\]\([^)]*\)", " ", text, flags=re.DOTALL)
    return re.findall(r"[^\W\d_][\w'’-]*", text)


def limit_faults(name, notebook):
    """Counts outside their limits."""
    limits = START_LIMITS if "00_" in name else LIMITS
    cells = notebook["cells"]
    code_lines = [len(lines_of_code(cell)) for cell in cells if cell["cell_type"] == "code"]
    headings = [line for cell in cells if cell["cell_type"] == "markdown" for line in source(cell).split("\n")
                if line.startswith("## ")]
    counts = {"cells": len(cells), "words": len(words(notebook)), "sections": len(headings)}
    faults = [f"{counts[what]} {what}, not {low} to {high}" for what, (low, high) in limits.items()
              if not low <= counts[what] <= high]
    if sum(code_lines) > MOST_CODE_LINES:
        faults.append(f"{sum(code_lines)} lines of code, more than {MOST_CODE_LINES}")
    if code_lines and statistics.median(code_lines) > MEDIAN_LINES:
        faults.append(f"median code cell of {statistics.median(code_lines)} lines, more than {MEDIAN_LINES}")
    return faults + [f"cell {position} has {len(lines_of_code(cell))} lines, more than {MOST_LINES_IN_A_CELL}"
                     for position, cell in enumerate(cells)
                     if cell["cell_type"] == "code" and len(lines_of_code(cell)) > MOST_LINES_IN_A_CELL]


def title_faults(name, notebook):
    """What the first cell owes: one H1, needs, time, run time, badges that open this very notebook."""
    title = source(notebook["cells"][0])
    run_time = RUN_TIME.search(title)
    faults = []
    lecture = next((item for item in course.LECTURES if item.name == name.split("/")[-1].removesuffix(".ipynb")), None)
    heading = f"# {lecture.number} · {lecture.title}" if lecture else "# "
    if not title.startswith(heading):
        faults.append(f"the first cell does not begin with the title ({heading} …)")
    if lecture and f"\nBefore: {course.before(lecture)} · Time: " not in title:
        faults.append(f'the title lacks "Before: {course.before(lecture)} · Time: …" (python -m cnnlib stamp)')
    if not run_time:
        faults.append('the title lacks "Runs on: CPU in NN s" (python -m cnnlib notebooks fills the figure in)')
    elif int(run_time.group(1)) > LONGEST_RUN:
        faults.append(f"runs for {run_time.group(1)} s, more than {LONGEST_RUN}")
    if "Time:" not in title:
        faults.append('the title lacks "Time:"')
    if stamp.badges(name.split("/")[-1].removesuffix(".ipynb")) not in title:
        faults.append("the title lacks its badges: cnnlib.recipes.stamp.badges(name)")
    return faults


def setup_faults(name, notebook):
    """The set-up cell: exactly one, first of the code cells, the same text everywhere."""
    positions = [position for position, cell in enumerate(notebook["cells"]) if cell["cell_type"] == "code"]
    found = [position for position in positions if source(notebook["cells"][position]) == stamp.setup_cell()]
    return [] if found == positions[:1] and found else [f"set-up cells at {found}; the first code cell must be the one"]


def picture_faults(name, notebook):
    """Pictures without a text that stands for them, or with another one in the file than on the page."""
    faults = []
    for position, cell in enumerate(notebook["cells"]):
        for output in cell.get("outputs", ()):
            data = output.get("data", {})
            for mime in (mime for mime in data if mime.startswith("image/")):
                alt = output.get("metadata", {}).get(mime, {}).get("alt", "")
                plain = "".join(data.get("text/plain", ""))
                if not alt or alt != plain:
                    faults.append(f"cell {position}: alt text {alt[:60]!r} and plain text {plain[:60]!r}; "
                                  "show figures with notebook.show(figure, caption)")
    return faults


def state_faults(name, notebook):
    """What must not be stored: errors, warnings, widget state, machine's paths, cells that were not run in order."""
    faults = [*recipe.machine_traces(notebook)]
    if "widgets" in notebook["metadata"]:
        faults.append("metadata.widgets is stored, which GitHub may refuse to show")
    counts = [cell["execution_count"] for cell in notebook["cells"] if cell["cell_type"] == "code"]
    if counts != list(range(1, len(counts) + 1)):
        faults.append("cells are not counted 1..n")
    for position, cell in enumerate(notebook["cells"]):
        if match := ABSOLUTE_PATH.search(source(cell)):
            faults.append(f"cell {position}: absolute path {match.group(0)!r}")
        if cell["metadata"].get("slideshow", {}).get("slide_type") not in SLIDE_TYPES:
            faults.append(f"cell {position}: no slide type")
        for output in cell.get("outputs", ()):
            if output["output_type"] == "error":
                faults.append(f"cell {position}: stored error {output['ename']}")
            if output.get("name") == "stderr":
                faults.append(f"cell {position}: stored warning {''.join(output['text'])[:80]!r}")
    return faults


def tag_faults(name, notebook, allowed=NOT_COMPARED):
    """Cells that nbval passes over without standing in `NOT_COMPARED`, and entries there that have no such cell.

    What a tag or a comment does is asked of nbval itself. A cell may be left uncompared by its tag alone, which a
    reader does not see; to be skipped, or to be let fail, is for none.
    """
    faults, ignored = [], set()
    for position, cell in enumerate(notebook["cells"]):
        if cell["cell_type"] != "code":
            continue
        effects = dict([*find_metadata_tags(cell["metadata"]), *find_comment_markers(source(cell))])
        if effects.get("check") is False and not stamp.is_setup_cell(cell):
            ignored.add(cell["id"])
        faults += [f"cell {position} ({cell['id']}) is not checked by nbval: {word}"
                   for word in ("skip", "check_exception") if effects.get(word)]
        if match := MARKER.search(source(cell)):
            faults.append(f"cell {position} ({cell['id']}): {match.group(0)!r} steers nbval; a tag does, out of sight")
    listed = set(allowed.get(name.split("/")[-1].removesuffix(".ipynb"), {}))
    return faults + [f"cell {id_!r} is not compared, and not in NOT_COMPARED" for id_ in sorted(ignored - listed)] + \
        [f"NOT_COMPARED lists {id_!r}, which is no such cell" for id_ in sorted(listed - ignored)]


RULES = [limit_faults, title_faults, setup_faults, picture_faults, state_faults, tag_faults]


@pytest.mark.parametrize("name", notebooks())
@pytest.mark.parametrize("rule", RULES)
def test_notebook(name, rule):
    assert rule(name, notebooks()[name]) == []


@pytest.mark.parametrize("name", notebooks())
def test_normal(name):
    text = texts(".ipynb")[name]
    assert len(text.encode()) <= LARGEST_FILE
    assert recipe.is_normal(text), f"python -m cnnlib notebooks {name}"


def test_all_lectures_run_within_their_time():
    titles = [source(notebook["cells"][0]) for notebook in notebooks().values()]
    assert sum(int(RUN_TIME.search(title).group(1)) for title in titles) <= ALL_RUNS


def test_nothing_is_sanitised_away():
    """A pattern there hides numbers in every notebook: it would have to be listed here, with its reason."""
    assert get_sanitize_patterns((ROOT / "tests" / "nbval_sanitize.cfg").read_text(encoding="utf-8")) == []
    assert get_sanitize_patterns("[numbers]\nregex: [0-9]+\nreplace: N\n") != []


def test_every_notebook_is_a_lecture_of_the_course():
    planned = {f"notebooks/{lecture.name}.ipynb": lecture.number for lecture in course.LECTURES}
    lectures = {name for name in notebooks() if name.startswith("notebooks/") and name.count("/") == 1}
    assert lectures <= set(planned)
    assert {planned[name] for name in lectures} == set(course.WRITTEN)


def test_lectures_need_only_lectures_that_come_before():
    numbers = [lecture.number for lecture in course.LECTURES]
    assert numbers == sorted(set(numbers))
    assert all(need in numbers and need < lecture.number for lecture in course.LECTURES for need in lecture.needs)


# ---- each rule catches its fault


def markdown(text, **metadata):
    return {"cell_type": "markdown", "metadata": {"slideshow": {"slide_type": "-"}} | metadata, "source": text}


def code_cell(text, count, outputs=(), **metadata):
    return {"cell_type": "code", "metadata": {"slideshow": {"slide_type": "-"}} | metadata, "source": text,
            "execution_count": count, "outputs": list(outputs)}


def good():
    """A made-up lecture that keeps every rule."""
    name = "notebooks/22_pooling.ipynb"
    before = course.before(course.lecture("22"))
    title = f"# 22 · Pooling\n\nBefore: {before} · Time: 45 min · Runs on: CPU in 20 s\n\n{stamp.badges('22_pooling')}"
    picture = {"output_type": "display_data", "data": {"image/png": "iVBO", "text/plain": "A grey square."},
               "metadata": {"image/png": {"alt": "A grey square."}}}
    cells = [markdown(title), code_cell(stamp.setup_cell(), 1, tags=["nbval-ignore-output"])]
    cells += [code_cell("print(1)", count, [copy.deepcopy(picture)]) for count in range(2, 32)]
    cells += [markdown("## Section\n\n" + "word " * 180) for _ in range(9)]
    for position, cell in enumerate(cells):
        cell["id"] = f"id-{position}"
    for id_, cell in zip(NOT_COMPARED.get("22_pooling", ()), cells[3:]):  # the cells that the real one lists
        cell["id"], cell["metadata"]["tags"] = id_, ["nbval-ignore-output"]
    return name, {"cells": cells, "metadata": dict(recipe.METADATA), "nbformat": 4, "nbformat_minor": 5}


def test_a_good_notebook_passes():
    name, notebook = good()
    assert [rule(name, notebook) for rule in RULES] == [[]] * len(RULES)
    assert recipe.is_normal(recipe.dumps(recipe.normalise(notebook)))


def change(path, value, notebook):
    """Set one entry of the notebook, named by the keys that lead to it."""
    *way, last = path
    place = notebook
    for key in way:
        place = place[key]
    place[last] = value


def retitle(old, new, notebook):
    """Write something else into the title cell."""
    cell = notebook["cells"][0]
    assert old in cell["source"]
    cell["source"] = cell["source"].replace(old, new)


FAULTS = [
    (limit_faults, lambda n: n["cells"].extend(n["cells"][2:] * 2), "cells, not 40 to 80"),
    (limit_faults, partial(change, ("cells", 40, "source"), "## S\n" + "word " * 5000), "words, not"),
    (limit_faults, partial(change, ("cells", 2, "source"), "x = 1\n" * 21), "21 lines"),
    (limit_faults, lambda n: [cell.update(source="x = 1\n" * 10) for cell in n["cells"][2:32]], "306 lines of code"),
    (limit_faults, lambda n: [cell.update(source="no heading") for cell in n["cells"][32:]], "0 sections"),
    (title_faults, partial(change, ("cells", 0, "source"), "## Not a title"), "does not begin"),
    *[(title_faults, partial(retitle, old, new), words) for old, new, words in (
        ("20 s", "90 s", "90 s"), ("Pooling", "Pool", "22 · Pooling"),
        ("Before: ", "Before: 12, ", 'lacks "Before: '), ("blob/", "tree/", "badges"))],
    (setup_faults, lambda n: n["cells"].pop(1), "set-up cells at []"),
    (setup_faults, lambda n: n["cells"][1].update(source=n["cells"][1]["source"] + "\n"), "set-up cells at []"),
    (setup_faults, lambda n: n["cells"].insert(1, code_cell("import numpy", 0)), "set-up cells at [2]"),
    (picture_faults, partial(change, ("cells", 2, "outputs", 0, "metadata"), {}), "alt text ''"),
    (picture_faults, partial(change, ("cells", 2, "outputs", 0, "data", "text/plain"), "<Figure>"), "'<Figure>'"),
    (state_faults, partial(change, ("metadata", "widgets"), {}), "metadata.widgets"),
    (state_faults, partial(change, ("cells", 2, "execution_count"), None), "1..n"),
    (state_faults, partial(change, ("cells", 2, "execution_count"), 7), "1..n"),
    *[(state_faults, partial(change, ("cells", 2, "source"), f"open('{start}ann/x.png')"), "absolute path")
      for start in ("/" + "home/", "/data/", "~/", "C:\\")],
    (state_faults, partial(change, ("cells", 2, "metadata"), {}), "slide type"),
    (state_faults, partial(change, ("cells", 2, "outputs"), [{"output_type": "error", "ename": "ValueError"}]),
     "stored error ValueError"),
    (state_faults, partial(change, ("cells", 2, "outputs"),
                           [{"output_type": "stream", "name": "stderr", "text": "W!"}]), "stored warning 'W!'"),
    (state_faults, partial(change, ("cells", 2, "outputs", 0, "data", "text/plain"), "<C object at 0x7f12345678>"),
     "0x7f12345678"),
    *[(tag_faults, partial(change, ("cells", 2, "metadata", "tags"), [tag]), "not in NOT_COMPARED")
      for tag in ("nbval-ignore-output", "pytest-validate-ignore-output")],
    *[(tag_faults, partial(change, ("cells", 2, "source"), text), "not in NOT_COMPARED")
      for text in ("# NBVAL_IGNORE_OUTPUT\nprint(1)", "print(1)\n  ## PYTEST_VALIDATE_IGNORE_OUTPUT  ",
                   "text = '''\n#NBVAL_IGNORE_OUTPUT\n'''")],
    *[(tag_faults, partial(change, ("cells", 2, "metadata", "tags"), [tag]), "not checked by nbval")
      for tag in ("nbval-skip", "raises-exception", "nbval-raises-exception")],
    *[(tag_faults, partial(change, ("cells", 2, "source"), f"#{word}\nprint(1)"), "not checked by nbval")
      for word in ("NBVAL_SKIP", "NBVAL_RAISES_EXCEPTION")],
    (tag_faults, partial(change, ("cells", 2, "source"), "print(1)  # nbval_check_output"), "steers nbval"),
    (tag_faults, partial(change, ("cells", 1, "metadata", "tags"), ["nbval-ignore-output", "nbval-skip"]), "skip"),
]


@pytest.mark.parametrize("rule, spoil, words", FAULTS)
def test_rule_catches(rule, spoil, words):
    name, notebook = good()
    spoil(notebook)
    assert words in "\n".join(rule(name, notebook))


def test_tag_rule_catches_an_empty_entry():
    name, notebook = good()
    assert "no such cell" in tag_faults(name, notebook, {"22_pooling": {"gone": "why"}})[-1]


@pytest.mark.parametrize("spoil", [
    partial(change, ("cells", 2, "metadata", "execution"), {"iopub.status.busy": "2026"}),
    partial(change, ("cells", 3, "id"), "id-2"),
    partial(change, ("metadata", "language_info", "version"), "3.11.2"),
    partial(change, ("cells", 2, "outputs"), [{"output_type": "stream", "name": "stdout", "text": t} for t in "ab"]),
    lambda n: n["cells"][2]["outputs"][0]["data"].update({recipe.WIDGET_VIEW: {"model_id": "1"}}),
    lambda n: n["cells"][1]["metadata"].pop("tags"),
])
def test_normal_form_catches(spoil):
    normal = recipe.normalise(good()[1])
    spoiled = nbformat.from_dict(copy.deepcopy(normal))
    spoil(spoiled)
    assert not recipe.is_normal(recipe.dumps(spoiled))
    assert recipe.is_normal(recipe.dumps(recipe.normalise(spoiled)))


def test_notebooks_exist():
    assert notebooks(), f"no notebook below {ROOT.name}: the rules above would check nothing"
