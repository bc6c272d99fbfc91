"""Words that NumPy and torch share in spelling but not in meaning stay in the seam, cnnlib/_array.py."""

import ast

import pytest
from checkout import trees

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
# Both libraries are handled by files on these paths; floor 5 and up sees NumPy alone.
TWO_LIBRARIES = ("cnnlib/conv/", "cnnlib/features/", "cnnlib/activations", "cnnlib/linear", "cnnlib/pool",
                 "cnnlib/norms", "cnnlib/losses", "cnnlib/gradcheck", "cnnlib/layers", "cnnlib/optim")
# NumPy alone by construction, said where the file begins.
NUMPY_ONLY = ("cnnlib/conv/_tiles",)


def seam_faults(path: str, tree: ast.Module) -> list[str]:
    """Calls of a banned word on a library or an array (``xp.std(x)``, ``x.std()``), except on ``str`` literals."""
    if path == SEAM or not path.startswith(TWO_LIBRARIES) or path.startswith(NUMPY_ONLY):
        return []
    faults = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in SILENT:
            owner = node.func.value
            is_text = isinstance(owner, ast.Constant | ast.JoinedStr) or (
                node.func.attr == "split" and all(isinstance(a, ast.Constant) and isinstance(a.value, str)
                                                  for a in node.args))
            if not is_text:
                faults.append(f"{path}:{node.lineno}: {ast.unparse(node.func)} {SILENT[node.func.attr]}; "
                              f"write it in {SEAM}")
    return faults


def test_silent_differences_stay_in_the_seam():
    assert [fault for path, tree in trees("cnnlib").items() for fault in seam_faults(path, tree)] == []


@pytest.mark.parametrize("line", ["y = xp.std(x)", "y = x.var(axis=0)", "a = xp.split(x, 2)", "i = (x > 0).nonzero()"])
def test_rule_catches(line):
    assert len(seam_faults("cnnlib/norms.py", ast.parse(line))) == 1
    assert seam_faults(SEAM, ast.parse(line)) == []


def test_rule_leaves_text_alone():
    assert seam_faults("cnnlib/norms.py", ast.parse("a = name.split(',')\nb = 'x y'.split()")) == []
