"""Words that NumPy and torch share in spelling but not in meaning stay in the seam, cnnlib/_array.py."""

import ast

import pytest
from checkout import full_name, names, trees

SEAM = "cnnlib/_array.py"
# Same word, another result, and no error: std and var (divisor), split (sections against size), nonzero (tuple against
# rows), and their kin found since.
SILENT = {
    "std": "divides by n in NumPy and n - 1 in torch",
    "var": "divides by n in NumPy and n - 1 in torch",
    "split": "takes the number of pieces in NumPy and their size in torch",
    "nonzero": "gives a tuple in NumPy and rows of indices in torch",
    "argwhere": "counts a 0-d array differently",
    "median": "averages the middle two in NumPy and takes the lower in torch",
    "repeat": "repeats elements in NumPy and tiles in torch",
    "view": "changes the dtype in NumPy and the shape in torch",
}
# Files that see NumPy alone, by construction; every other one may be handed tensors.
NUMPY_ONLY = ("cnnlib/conv/_tiles", "cnnlib/pool/_tiles", "cnnlib/features/edges/_tuned.py",
              "cnnlib/features/hog/_strips.py", "cnnlib/data/", "cnnlib/plots/", "cnnlib/notebook.py",
              "cnnlib/widgets/", "cnnlib/recipes/")
BY_NAME = {"getattr", "operator.methodcaller", "operator.attrgetter", "methodcaller", "attrgetter"}


def seam_faults(path: str, tree: ast.Module) -> list[str]:
    """Uses of a banned word on a library or an array, called or not: ``xp.std``, ``x.std()``, ``getattr(x, "std")``.

    A word that is imported under another name (``from numpy import std as s``) is a fault where it is imported.
    Text has words of its own: ``",".join(…).split(",")`` passes.
    """
    if path == SEAM or path.startswith(NUMPY_ONLY):
        return []
    known, found = names(tree), []
    text_calls = {id(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call) and splits_text(node)}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            found += [(node, alias.name) for alias in node.names if node.module.split(".")[0] in ("numpy", "torch")]
        elif isinstance(node, ast.Attribute) and id(node) not in text_calls and not is_text(node.value):
            found.append((node, node.attr))
        elif isinstance(node, ast.Call) and (full_name(node.func, known) or getattr(node.func, "id", "")) in BY_NAME:
            found += [(node, part) for word in node.args if is_text(word) and isinstance(word, ast.Constant)
                      for part in word.value.split(".")]
    return [f"{path}:{node.lineno}: {ast.unparse(node)}: {word} {SILENT[word]}; write it in {SEAM}"
            for node, word in found if word in SILENT]


def is_text(node: ast.expr) -> bool:
    """Whether the expression is a string for sure."""
    return isinstance(node, ast.JoinedStr) or isinstance(node, ast.Constant) and isinstance(node.value, str)


def splits_text(call: ast.Call) -> bool:
    """Whether the call is ``split`` of a string: no argument, or a string."""
    return getattr(call.func, "attr", "") == "split" and all(map(is_text, call.args))


def test_silent_differences_stay_in_the_seam():
    assert [fault for path, tree in trees("cnnlib").items() for fault in seam_faults(path, tree)] == []


@pytest.mark.parametrize("line", [
    "y = xp.std(x)", "y = x.var(axis=0)", "a = xp.split(x, 2)", "i = (x > 0).nonzero()",
    "from numpy import std as s", "from torch.linalg import std", "import numpy as n\ny = n.std(x)", "f = xp.median",
    "y = sum(map(np.var, rows))", "y = getattr(x, 'std')()", "import operator as o\nf = o.methodcaller('view', -1)",
    "from operator import attrgetter as get\nf = get('special.std')", "def f(xp):\n    return xp.repeat",
])
def test_rule_catches(line):
    assert len(seam_faults("cnnlib/norms.py", ast.parse(line))) == 1
    assert seam_faults(SEAM, ast.parse(line)) == []


def test_rule_leaves_text_alone():
    assert seam_faults("cnnlib/norms.py", ast.parse("a = name.split(',')\nb = 'x y'.split()\nc = getattr(x, n)")) == []
