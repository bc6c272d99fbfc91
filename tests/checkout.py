"""The checkout as the rules see it: its files, its notebooks, its Python source as syntax trees and full names."""

import ast
import json
import subprocess
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[1]
PASSED_OVER = {"build", "dist", "node_modules", "__pycache__"}


@cache
def files() -> tuple[Path, ...]:
    """Every file that is, or could be, committed: what git knows or would add; without git, what is no cache."""
    listed = subprocess.run(["git", "ls-files", "--cached", "--others", "--exclude-standard"], cwd=ROOT,
                            capture_output=True, text=True)
    if listed.returncode == 0 and listed.stdout:
        found = (ROOT / line for line in listed.stdout.splitlines())
    else:
        found = (path for path in ROOT.rglob("*") if not _is_passed_over(path.relative_to(ROOT)))
    return tuple(sorted(path for path in found if path.is_file()))


def _is_passed_over(path: Path) -> bool:
    hidden = (part for part in path.parts if part.startswith(".") and part not in (".ci", ".gitignore"))
    return any(hidden) or bool(PASSED_OVER & set(path.parts)) or path.name.endswith(".egg-info")


@cache
def texts(*suffixes: str) -> dict[str, str]:
    """Text by relative path of the files with one of these suffixes ("" stands for none)."""
    return {path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8")
            for path in files() if path.suffix in suffixes}


@cache
def trees(folder: str) -> dict[str, ast.Module]:
    """Syntax tree by relative path of the Python files below a folder."""
    return {name: ast.parse(text) for name, text in texts(".py").items() if name.startswith(folder + "/")}


@cache
def notebooks() -> dict[str, dict]:
    """Notebook by relative path."""
    return {name: json.loads(text) for name, text in texts(".ipynb").items()}


def source(cell: dict) -> str:
    """A cell's source as one string."""
    return "".join(cell["source"])


def code(notebook: dict) -> list[str]:
    """The code cells as Python that can be parsed: lines of IPython's own (%magic, !shell) become `pass`."""
    return ["\n".join(_as_python(line) for line in source(cell).split("\n"))
            for cell in notebook["cells"] if cell["cell_type"] == "code"]


def _as_python(line: str) -> str:
    bare = line.lstrip()
    return line[:len(line) - len(bare)] + "pass" if bare.startswith(("%", "!", "?")) else line


@cache
def names(tree: ast.Module) -> dict[str, str]:
    """What the names of a file stand for, in full: ``{"s": "numpy.std"}`` after ``from numpy import std as s``.

    Imports on any level count, and plain assignments of what they bring (``t = torch``, ``mean = np.mean``).
    """
    found = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.asname or first: alias.name if alias.asname else first
                      for alias in node.names for first in [alias.name.split(".")[0]]}
        elif isinstance(node, ast.ImportFrom):
            found |= {alias.asname or alias.name: f"{node.module}.{alias.name}" for alias in node.names}
    while True:  # an assignment may stand for another one
        new = {}
        for node in ast.walk(tree):
            if isinstance(node, ast.Assign | ast.NamedExpr) and (full := full_name(node.value, found)):
                targets = node.targets if isinstance(node, ast.Assign) else [node.target]
                new |= {target.id: full for target in targets
                        if isinstance(target, ast.Name) and target.id not in found}
        if not new:
            return found
        found |= new


def full_name(node: ast.expr, known: dict[str, str]) -> str | None:
    """The dotted name that an expression spells, its first part read by `names`; None if that part is unknown."""
    if isinstance(node, ast.Name):
        return known.get(node.id)
    if isinstance(node, ast.Attribute) and (owner := full_name(node.value, known)):
        return f"{owner}.{node.attr}"
    return None
