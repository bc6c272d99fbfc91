"""Write the repository's address and the release's tag, and what is made from the list of lectures, where they belong.

``pyproject.toml`` holds the address and the tag (``[tool.cnnlib]``), ``cnnlib/course.py`` the lectures. From them
come the badges, the README's course map, every notebook's set-up cell and what its title says one needs before; this
file is the only one that knows how they are spelt. ``python -m cnnlib stamp`` writes them, ``--check`` lists what
disagrees and writes nothing.
"""

import json
import re
import tomllib
from pathlib import Path

from cnnlib import course

ROOT = Path(__file__).resolve().parents[2]

SETUP_CELL = """\
try:
    import cnnlib
except ImportError:
    %pip install -q --no-deps "cnnlib @ https://github.com/{repository}/archive/refs/tags/{tag}.zip"
from cnnlib import notebook

notebook.setup(seed=0)"""

BADGES = (
    "[![Open in Colab](https://colab.research.google.com/assets/colab-badge.svg)]"
    "(https://colab.research.google.com/github/{repository}/blob/{tag}/notebooks/{name}.ipynb) "
    "[![Open in Kaggle](https://kaggle.com/static/images/open-in-kaggle.svg)]"
    "(https://kaggle.com/kernels/welcome?src=https://github.com/{repository}/blob/{tag}/notebooks/{name}.ipynb)"
)

MAP_BEGIN, MAP_END = "<!-- course map: written by `python -m cnnlib stamp` -->", "<!-- end of course map -->"

_BEFORE = re.compile(r"^(Before: ).*?(?= · Time:)", re.MULTILINE)

# Each way in which our own address is spelt; other projects' links look otherwise and are left alone.
_REPOSITORY = r"(?P<repository>[\w.-]+/[\w.-]+?)"
_ADDRESSES = tuple(
    re.compile(pattern)
    for pattern in (
        rf"cnnlib @ https://github\.com/{_REPOSITORY}/archive/refs/tags/(?P<tag>[^/\s\"']+)\.zip",
        rf"colab\.research\.google\.com/github/{_REPOSITORY}/blob/(?P<tag>[^/\s)]+)/",
        rf"kaggle\.com/kernels/welcome\?src=https://github\.com/{_REPOSITORY}/blob/(?P<tag>[^/\s)]+)/",
        rf"git clone (?:--branch (?P<tag>\S+) )?https://github\.com/{_REPOSITORY}(?=\.git|\s|$|`)",
    )
)


def identity(root: Path = ROOT) -> dict[str, str]:
    """The repository's address and the release's tag: ``{"repository": …, "tag": …}`` from pyproject.toml."""
    table = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["cnnlib"]
    return {"repository": table["repository"], "tag": table["tag"]}


def setup_cell(root: Path = ROOT) -> str:
    """The source of the set-up cell, the same in every notebook."""
    return SETUP_CELL.format(**identity(root))


def badges(name: str, root: Path = ROOT) -> str:
    """The markdown line that opens notebook ``name`` (without suffix) in Colab or Kaggle."""
    return BADGES.format(name=name, **identity(root))


def stamped(text: str, repository: str, tag: str) -> str:
    """`text` with our address and tag brought up to date wherever they stand."""

    def renew(match: re.Match) -> str:
        found = match.group(0)
        if match.groupdict().get("tag"):
            found = _splice(found, match.start("tag") - match.start(), match.group("tag"), tag)
        start = found.index(match.group("repository"))
        return _splice(found, start, match.group("repository"), repository)

    for pattern in _ADDRESSES:
        text = pattern.sub(renew, text)
    return text


def _splice(text: str, start: int, old: str, new: str) -> str:
    return text[:start] + new + text[start + len(old):]


def course_map(root: Path = ROOT) -> str:
    """The README's table of lectures: a link where the notebook is there, the bare title where it is planned."""
    lines = []
    for part, name in enumerate(course.PARTS):
        lines += ["", f"**Part {part} · {name}**", "", "| | lecture | builds on | |", "| --- | --- | --- | --- |"]
        lines += [_map_row(item, root) for item in course.LECTURES if item.part == part]
    return "\n".join([MAP_BEGIN, *lines, "", MAP_END])


def _is_written(item: course.Lecture, root: Path) -> bool:
    return (root / "notebooks" / f"{item.name}.ipynb").is_file()


def _map_row(item: course.Lecture, root: Path) -> str:
    is_written = _is_written(item, root)
    title = f"[{item.title}](notebooks/{item.name}.ipynb)" if is_written else f"{item.title} *(planned)*"
    return (f"| {item.number} | {title}: {item.about[0].lower()}{item.about[1:]} | {', '.join(item.needs) or '–'} | "
            f"{badges(item.name, root) if is_written else ''} |")


def _with_course_map(text: str, root: Path) -> str:
    before, begin, rest = text.partition(MAP_BEGIN)
    _, end, after = rest.partition(MAP_END)
    return before + course_map(root) + after if begin and end else text


def _stamped_notebook(text: str, name: str, root: Path) -> str:
    content = json.loads(text)
    changed = False
    for position, cell in enumerate(content["cells"]):
        old = "".join(cell["source"])
        new = setup_cell(root) if is_setup_cell(cell) else stamped(old, **identity(root))
        if position == 0:
            new = with_needs(new, name, root)
        if new != old:
            cell["source"], changed = new.splitlines(keepends=True), True
    return json.dumps(content, indent=1, ensure_ascii=False) + "\n" if changed else text


def with_needs(title: str, name: str, root: Path = ROOT) -> str:
    """The title cell of notebook ``name``, saying "Before:" what the list of lectures says."""
    item = next((item for item in course.LECTURES if item.name == name), None)
    if item is None:  # a homework
        return title
    before = course.before(item, written=lambda need: _is_written(need, root))
    return _BEFORE.sub(lambda match: match.group(1) + before, title, count=1)


def is_setup_cell(cell: dict) -> bool:
    """Whether a notebook's cell is its set-up cell, in whatever state."""
    source = "".join(cell["source"])
    return cell["cell_type"] == "code" and "import cnnlib" in source and "notebook.setup(" in source


def _new_text(path: Path, root: Path) -> str:
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".ipynb":
        return _stamped_notebook(text, path.stem, root)
    return _with_course_map(stamped(text, **identity(root)), root)


def files(root: Path = ROOT) -> list[Path]:
    """The files that carry an address, a set-up cell or the course map."""
    pages = [path for path in (root / "README.md", root / "CONTRIBUTING.md") if path.is_file()]
    return pages + sorted((root / "notebooks").rglob("*.ipynb"))


def disagreements(root: Path = ROOT) -> list[str]:
    """Which files are not as `stamp` would write them, each as one line."""
    return [f"{path.relative_to(root)}: address, tag, set-up cell, course map or needs out of date"
            for path in files(root) if path.read_text(encoding="utf-8") != _new_text(path, root)]


def main(arguments: list[str]) -> int:
    """``python -m cnnlib stamp [--check]``."""
    if arguments not in ([], ["--check"]):
        print("usage: python -m cnnlib stamp [--check]")
        return 2
    if not (ROOT / "pyproject.toml").is_file():
        print(f"stamp works on a checkout of the repository, and {ROOT} is none")
        return 1
    faults = disagreements(ROOT)
    if not arguments:
        for path in files(ROOT):
            path.write_text(_new_text(path, ROOT), encoding="utf-8")
    print("\n".join(faults) if faults else "every address, tag, set-up cell, course map and list of needs agrees")
    return 1 if faults and arguments else 0
