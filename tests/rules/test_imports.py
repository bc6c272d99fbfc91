"""A file imports from lower floors or from a sibling to its left; the library stays light and torch stays optional."""

import ast
import os
import subprocess
import sys

import pytest
from checkout import trees

# The library's parts, lowest floor first; within a floor, a part may import those to its left.
FLOORS = (
    ("_array", "geometry"),
    ("images", "conv", "activations", "linear", "pool", "norms", "losses", "initializers", "scalar"),
    ("gradcheck", "features", "layers", "torch_layers", "optim"),
    ("architectures", "history", "data", "course"),
    ("training", "inspection", "applications"),
    ("plots", "notebook", "widgets", "checks", "grading"),
    ("recipes", "train", "__main__"),
)
RANK = {part: rank for rank, part in enumerate(part for floor in FLOORS for part in floor)}
FIRST_WITH_SCREEN = RANK["plots"]
# Files that may import torch, and only inside a function.
TORCH = ("cnnlib/conv/library.py", "cnnlib/conv/implicit_gemm.py", "cnnlib/torch_layers.py",
         "cnnlib/architectures/weights.py", "cnnlib/training", "cnnlib/inspection", "cnnlib/applications",
         "cnnlib/notebook.py", "cnnlib/checks", "cnnlib/train.py", "cnnlib/recipes/doctor.py")
SCREEN = {"matplotlib", "matplotlib_inline", "ipywidgets", "anywidget", "IPython", "traitlets"}
LIGHT = {"numpy", "threadpoolctl", "cnnlib", *sys.stdlib_module_names}  # what floors 0-4 may import as they load


def part_of(path: str) -> str:
    """The part that a file belongs to: ``cnnlib/conv/fft.py`` to conv; the package's own ``__init__`` to ""."""
    first = path.split("/")[1].removesuffix(".py")
    return "" if first == "__init__" else first


def imports(tree: ast.Module):
    """Each import as (module name in full, line, whether it runs when the file is loaded)."""
    inside = {id(node) for function in ast.walk(tree)
              if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
              for node in ast.walk(function)}
    for node in ast.walk(tree):
        loads = id(node) not in inside
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno, loads) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"line {node.lineno}: write imports in full (from cnnlib.conv import …)"
            yield from ((f"{node.module}.{alias.name}", node.lineno, loads) for alias in node.names)


def floor_faults(path: str, tree: ast.Module) -> list[str]:
    """Imports of this file that lead up, to the right, or to a part that has no floor."""
    part = part_of(path)
    if part not in RANK:
        return [] if part == "" else [f"{path}: part {part!r} has no floor: give it its place in FLOORS"]
    faults = []
    for module, line, _ in imports(tree):
        if module == "cnnlib" or not module.startswith("cnnlib."):
            continue
        other = module.split(".")[1]
        if other in RANK and RANK[other] > RANK[part]:
            faults.append(f"{path}:{line}: {part} may not import {other}, which stands above it or to its right")
    return faults


def weight_faults(path: str, tree: ast.Module) -> list[str]:
    """Imports that make the library heavy, or tie a lower floor to a screen."""
    faults = []
    low = RANK.get(part_of(path), -1) < FIRST_WITH_SCREEN
    for module, line, loads in imports(tree):
        top = module.split(".")[0]
        if top in ("torch", "triton"):
            if loads:
                faults.append(f"{path}:{line}: {top} is imported as the file loads; import it in the function")
            if not path.startswith(TORCH):
                faults.append(f"{path}:{line}: only the files in TORCH import {top}")
        elif low and top in SCREEN:
            faults.append(f"{path}:{line}: {top} belongs to plots, notebook and widgets")
        elif low and loads and top not in LIGHT:
            faults.append(f"{path}:{line}: {top} is imported as the file loads; import it in the function")
    return faults


def cycles(graph: dict[str, set[str]]) -> list[list[str]]:
    """Import cycles among modules, each once, as the modules along it."""
    found, done = [], set()

    def visit(module, trail):
        if module in trail:
            found.append(trail[trail.index(module):] + [module])
        elif module not in done:
            for other in sorted(graph.get(module, ())):
                visit(other, [*trail, module])
            done.add(module)

    for module in sorted(graph):
        visit(module, [])
    return found


def module_graph(all_trees: dict[str, ast.Module]) -> dict[str, set[str]]:
    """Which module of the library loads which. A package is what its ``__init__`` loads."""
    names = {path.removesuffix(".py").removesuffix("/__init__").replace("/", "."): tree
             for path, tree in all_trees.items()}
    graph = {}
    for name, tree in names.items():
        wanted = {module for module, _, loads in imports(tree) if loads}
        graph[name] = {max((known for known in names if module == known or module.startswith(known + ".")),
                           key=len) for module in wanted if module.split(".")[0] == "cnnlib"} - {name}
    return graph


def test_floors():
    assert [fault for path, tree in trees("cnnlib").items() for fault in floor_faults(path, tree)] == []


def test_light():
    assert [fault for path, tree in trees("cnnlib").items() for fault in weight_faults(path, tree)] == []


def test_no_cycles():
    assert cycles(module_graph(trees("cnnlib"))) == []


@pytest.mark.parametrize("path, line, word", [
    ("cnnlib/geometry.py", "from cnnlib import conv", "conv"),
    ("cnnlib/_array.py", "from cnnlib.geometry import output_size", "geometry"),
    ("cnnlib/plots/grid.py", "def f():\n    import cnnlib.notebook", "notebook"),
    ("cnnlib/helpers.py", "x = 1", "no floor"),
])
def test_floor_rule_catches(path, line, word):
    [fault] = floor_faults(path, ast.parse(line))
    assert word in fault


@pytest.mark.parametrize("path, line, word", [
    ("cnnlib/conv/library.py", "import torch", "in the function"),
    ("cnnlib/conv/fft.py", "def f():\n    import torch.nn as nn", "only the files"),
    ("cnnlib/conv/fft.py", "from scipy import fft", "in the function"),
    ("cnnlib/images.py", "def f():\n    from matplotlib import pyplot", "belongs to plots"),
    ("cnnlib/__init__.py", "import scipy", "in the function"),
])
def test_weight_rule_catches(path, line, word):
    [fault] = weight_faults(path, ast.parse(line))
    assert word in fault


def test_cycle_rule_catches():
    bad = {"cnnlib/a.py": ast.parse("from cnnlib import b"), "cnnlib/b.py": ast.parse("import cnnlib.c"),
           "cnnlib/c.py": ast.parse("from cnnlib.a import x")}
    assert cycles(module_graph(bad)) == [["cnnlib.a", "cnnlib.b", "cnnlib.c", "cnnlib.a"]]


HEAVY = ("torch", "scipy", "matplotlib", "skimage", "PIL", "IPython", "ipywidgets")


def loaded(statement: str) -> set[str]:
    """Top-level modules that a fresh interpreter holds after the statement, beyond what it starts with."""
    script = f"{statement}\nimport sys; print(*{{name.split('.')[0] for name in sys.modules}})"
    run = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True)
    return set(run.stdout.split())


@pytest.mark.parametrize("statement", ["import cnnlib", "from cnnlib import conv, geometry, images, data, course"])
def test_importing_the_library_loads_nothing_heavy(statement):
    assert loaded(statement).isdisjoint(HEAVY)
    assert "cnnlib" in loaded(statement)


def test_the_heavy_would_be_seen():
    assert "matplotlib" in loaded("import cnnlib.plots")


def processor_milliseconds(statement):
    """Processor time of a fresh interpreter that runs the statement: the least of three runs."""
    times = []
    for _ in range(3):
        before = os.times()
        subprocess.run([sys.executable, "-c", statement], check=True)
        after = os.times()
        times.append(after.children_user + after.children_system - before.children_user - before.children_system)
    return 1000 * min(times)


def test_import_time(record_property):
    """The time is reported (50 ms is the aim), and far above it something heavy has come in."""
    extra = processor_milliseconds("import numpy, cnnlib") - processor_milliseconds("import numpy")
    record_property("import_cnnlib_ms", round(extra))
    print(f"importing cnnlib adds {extra:.0f} ms to numpy's")
    assert extra < 250
