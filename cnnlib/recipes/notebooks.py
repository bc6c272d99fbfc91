"""Execute the notebooks and bring them into their one normal form.

A notebook is the single source of its lecture and is stored executed. The normal form keeps what a reader or a test
needs and nothing that differs from machine to machine: cells counted 1..n, ids kept, streams merged, no widget
state, no timings, no editor's metadata. ``python -m cnnlib notebooks [NAMES]`` executes and normalises,
``--check`` only says what is not normal.
"""

import hashlib
import os
import re
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from cnnlib.recipes import stamp

FOLDER = stamp.ROOT / "notebooks"
METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"file_extension": ".py", "mimetype": "text/x-python", "name": "python",
                      "pygments_lexer": "ipython3"},
}
KEPT_CELL_METADATA = ("jupyter", "slideshow", "tags")
KEPT_IMAGE_METADATA = ("alt", "height", "width")
WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"
SECONDS = (5, 10, 15, 20, 30, 40, 50, 60, 90, 120, 180, 300, 600)  # the figures that a title may give
_RUN_TIME = re.compile(r"(Runs on: CPU in )(\d+|NN)( s)")
_GOOD_ID = re.compile(r"[a-zA-Z0-9_-]{1,64}")
_HEADING = re.compile(r"(#{1,6}) ")

# What only one machine prints: a memory address, a temporary cell file, an absolute path.
FOLDERS = "home|root|tmp|usr|work|opt|var|srv|mnt|data|content|kaggle|Users|Volumes|private"
_MACHINE = re.compile(
    rf"\bat 0x[0-9a-fA-F]{{6,}}|ipykernel_\d+|\b[A-Z]:\\\w|(?<![\w/:.<])/(?:{FOLDERS})/"
)


def normalise(notebook: dict) -> dict:
    """The normal form of a notebook (a ``nbformat`` notebook, version 4), as a new one."""
    import nbformat

    result = nbformat.v4.new_notebook(metadata=METADATA)
    result.nbformat_minor = 5
    ids: set[str] = set()
    count = 0
    for cell in notebook["cells"]:
        fresh = {"cell_type": cell["cell_type"], "id": _cell_id(cell, ids), "metadata": _cell_metadata(cell),
                 "source": _text(cell["source"]).rstrip("\n")}
        if cell["cell_type"] == "code":
            count += 1
            fresh |= {"execution_count": count, "outputs": _outputs(cell["outputs"], count)}
        result.cells.append(nbformat.from_dict(fresh))
    return result


def dumps(notebook: dict) -> str:
    """The notebook as the text of its file: sorted keys, one space of indent, a newline at the end."""
    import nbformat

    return nbformat.v4.writes(nbformat.from_dict(notebook)).rstrip("\n") + "\n"


def is_normal(text: str) -> bool:
    """Whether a notebook file's text is its own normal form."""
    import nbformat

    return dumps(normalise(nbformat.v4.reads(text))) == text


def machine_traces(notebook: dict) -> list[str]:
    """Outputs that hold a memory address or a path of one machine, each as one line."""
    faults = []
    for position, cell in enumerate(notebook["cells"]):
        for output in cell.get("outputs", ()):
            texts = [_text(output.get("text", "")), *(_text(value) for key, value in output.get("data", {}).items()
                                                       if not key.startswith(("image/", "application/")))]
            faults += [f"cell {position}: output holds {match.group(0)!r}, which differs from machine to machine"
                       for text in texts for match in _MACHINE.finditer(text)]
    return faults


def _text(value: str | list[str]) -> str:
    return value if isinstance(value, str) else "".join(value)


def _cell_id(cell: dict, taken: set[str]) -> str:
    wanted = cell.get("id", "")
    if not _GOOD_ID.fullmatch(wanted) or wanted in taken:
        content = cell["cell_type"] + _text(cell["source"])
        wanted = base = hashlib.sha256(content.encode()).hexdigest()[:8]
        again = 1
        while wanted in taken:
            again += 1
            wanted = f"{base}-{again}"
    taken.add(wanted)
    return wanted


def _cell_metadata(cell: dict) -> dict:
    kept = {key: cell["metadata"][key] for key in KEPT_CELL_METADATA if cell["metadata"].get(key)}
    if stamp.is_setup_cell(cell):  # it prints this machine's versions and device
        kept["tags"] = sorted({*kept.get("tags", ()), "nbval-ignore-output"})
    if not kept.get("slideshow", {}).get("slide_type"):
        kept["slideshow"] = {"slide_type": _slide_type(cell)}
    return kept


def _slide_type(cell: dict) -> str:
    """Where a cell goes if its author has not said: sections open slides, code appears piece by piece."""
    heading = _HEADING.match(_text(cell["source"])) if cell["cell_type"] == "markdown" else None
    if heading:
        return "slide" if len(heading.group(1)) <= 2 else "subslide"
    return "fragment" if cell["cell_type"] == "code" else "-"


def _outputs(outputs: list[dict], count: int) -> list[dict]:
    fresh: list[dict] = []
    for output in outputs:
        kind = output["output_type"]
        if kind == "stream":
            text = _text(output["text"])
            if fresh and fresh[-1]["output_type"] == "stream" and fresh[-1]["name"] == output["name"]:
                fresh[-1]["text"] += text
            else:
                fresh.append({"output_type": kind, "name": output["name"], "text": text})
        elif kind == "error":
            fresh.append({key: output[key] for key in ("output_type", "ename", "evalue", "traceback")})
        else:
            data = {mime: _mime_content(mime, value) for mime, value in output["data"].items() if mime != WIDGET_VIEW}
            if data:
                metadata = _output_metadata(output.get("metadata", {}))
                fresh.append({"output_type": kind, "data": data, "metadata": metadata}
                             | ({"execution_count": count} if kind == "execute_result" else {}))
    return fresh


def _mime_content(mime: str, value):
    if mime.startswith("image/") and mime != "image/svg+xml":
        return _text(value).replace("\n", "")
    return value if mime.endswith("json") else _text(value)


def _output_metadata(metadata: dict) -> dict:
    kept = {mime: {key: entry[key] for key in KEPT_IMAGE_METADATA if key in entry}
            for mime, entry in metadata.items() if isinstance(entry, dict)}
    return {mime: entry for mime, entry in kept.items() if entry}


def with_run_time(notebook: dict, seconds: float) -> dict:
    """Put the measured time into the title's "Runs on: CPU in NN s", as the next round figure.

    A figure that still holds stays, so that executing again changes nothing: it is renewed when the run took longer,
    or less than half of it.
    """
    for cell in notebook["cells"]:
        match = _RUN_TIME.search(cell["source"]) if cell["cell_type"] == "markdown" else None
        if match:
            if match.group(2) == "NN" or not int(match.group(2)) / 2 <= seconds <= int(match.group(2)):
                figure = next((figure for figure in SECONDS if seconds <= figure), round(seconds))
                cell["source"] = _RUN_TIME.sub(rf"\g<1>{figure}\g<3>", cell["source"])
            break
    return notebook


def execute(path: Path) -> tuple[dict, float]:
    """Run a notebook top to bottom in a fresh kernel, in its own folder; return it and the seconds it took."""
    import nbclient
    import nbformat

    notebook = nbformat.read(path, as_version=4)
    client = nbclient.NotebookClient(notebook, timeout=600, kernel_name="python3", record_timing=False,
                                     store_widget_state=False, resources={"metadata": {"path": str(path.parent)}})
    start = time.perf_counter()
    client.execute()
    return notebook, time.perf_counter() - start


def renew(path: Path) -> str:
    """Execute one notebook, write its normal form, and say in a line how it went."""
    try:
        notebook, seconds = execute(path)
    except Exception as error:  # whatever the lecture raised is what its author wants to read
        return f"FAILED {path.stem}\n{error}"
    notebook = normalise(with_run_time(notebook, seconds))
    path.write_text(dumps(notebook), encoding="utf-8")
    faults = machine_traces(notebook)
    return "\n".join([f"{'FAILED' if faults else 'ok    '} {path.stem}: {seconds:.0f} s", *faults])


def check(path: Path) -> str:
    """Say in a line whether one notebook is normal."""
    import nbformat

    text = path.read_text(encoding="utf-8")
    faults = machine_traces(nbformat.v4.reads(text))
    if not is_normal(text):
        faults.append("not in normal form: run `python -m cnnlib notebooks` on it")
    return "\n".join([f"{'FAILED' if faults else 'ok    '} {path.stem}", *faults])


def main(arguments: list[str]) -> int:
    """``python -m cnnlib notebooks [--check] [NAMES]``; a name may be cut short (``20``)."""
    only_check = "--check" in arguments
    names = [name for name in arguments if name != "--check"]
    paths = [path for path in sorted(FOLDER.rglob("*.ipynb")) if ".ipynb_checkpoints" not in path.parts]
    unknown = [name for name in names if not any(path.stem.startswith(name) for path in paths)]
    if unknown:
        print(f"no notebook begins with {', '.join(unknown)}; there are {', '.join(path.stem for path in paths)}")
        return 2
    paths = [path for path in paths if not names or any(path.stem.startswith(name) for name in names)]
    os.environ["OMP_NUM_THREADS"] = "1"  # two kernels side by side, one thread each, as in the tests
    with ThreadPoolExecutor(max_workers=2) as pool:
        reports = list(pool.map(check if only_check else renew, paths))
    print("\n".join(reports) or f"no notebooks in {FOLDER}")
    return int(any(report.startswith("FAILED") for report in reports))
