"""A file imports from lower floors or from a sibling to its left; the library stays light and torch stays optional."""

import ast
import os
import subprocess
import sys

import pytest
from checkout import full_name, names, trees

# The library's parts, lowest floor first; within a floor, a part may import those to its left.
FLOORS = (
    ("_threads", "_erfc", "_array", "_integers", "geometry", "_arguments"),
    ("images", "conv", "activations", "linear", "pool", "norms", "losses", "initializers", "scalar"),
    ("gradcheck", "features", "layers", "torch_layers", "optim"),
    ("data", "architectures", "history", "course"),
    ("training", "inspection", "applications"),
    ("plots", "notebook", "widgets", "checks", "grading"),
    ("recipes", "train", "__main__"),
)
RANK = {part: rank for rank, part in enumerate(part for floor in FLOORS for part in floor)}
FIRST_WITH_SCREEN = RANK["plots"]
# Files that may import torch, and only inside a function.
TORCH = ("cnnlib/conv/library.py", "cnnlib/conv/implicit_gemm.py", "cnnlib/torch_layers.py", "cnnlib/layers/_place.py",
         "cnnlib/architectures/pretrained.py", "cnnlib/training", "cnnlib/inspection", "cnnlib/applications",
         "cnnlib/notebook.py", "cnnlib/checks", "cnnlib/train.py", "cnnlib/recipes/doctor.py",
         "cnnlib/recipes/_parts.py", "cnnlib/widgets/_torch_model.py")
SCREEN = {"matplotlib", "matplotlib_inline", "ipywidgets", "anywidget", "IPython", "traitlets"}
# What imports a module by a name in a string, and what may import anything unseen.
IMPORTERS = {"importlib.import_module", "importlib.__import__", "__import__", "builtins.__import__",
             "importlib.util.find_spec", "cnnlib.data._split.needed"}
OPAQUE = {"exec", "eval", "builtins.exec", "builtins.eval", "pkgutil.resolve_name", "runpy.run_module",
          "runpy.run_path", "importlib.util.module_from_spec", "importlib.util.spec_from_file_location",
          "importlib.machinery.SourceFileLoader"}
# Files that may compute the name.
COMPUTED = {
    "cnnlib/__init__.py": "a part of the library is loaded when it is first named",
    "cnnlib/data/_split.py": "says how to get a package that is not there; its callers name the module",
    "cnnlib/recipes/doctor.py": "tries each package that is installed",
}
LIGHT = {"numpy", "threadpoolctl", "cnnlib", *sys.stdlib_module_names}  # what floors 0-4 may import as they load


def part_of(path: str) -> str:
    """The part that a file belongs to: ``cnnlib/conv/fft.py`` to conv; the package's own ``__init__`` to ""."""
    first = path.split("/")[1].removesuffix(".py")
    return "" if first == "__init__" else first


def package_of(path: str) -> str:
    """The module that a file is: ``cnnlib/conv/__init__.py`` to cnnlib.conv."""
    return path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def imports(tree: ast.Module, package: str = ""):
    """Each module that a file uses as (its name in full, line, whether it is loaded with the file).

    Seen are the import statements, however they rename; modules by their name in a string (``import_module("torch")``,
    of an f-string what stands before its first variable); and parts of the library that are loaded as attributes
    (``import cnnlib``, then ``cnnlib.plots``).
    """
    inside = {id(node) for function in ast.walk(tree)
              if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
              for node in ast.walk(function)}
    known = names(tree)
    for node in ast.walk(tree):
        found = []
        if isinstance(node, ast.Import):
            found = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"line {node.lineno}: write imports in full (from cnnlib.conv import …)"
            found = [f"{node.module}.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.Attribute) and (full := full_name(node, known) or "").startswith("cnnlib."):
            found = [full]
        elif isinstance(node, ast.Call) and node.args and is_importer(node.func, known):
            found = [name] if (name := spelt(node.args[0], package)) else []
        elif isinstance(node, ast.Call) and getattr(node.func, "id", "") == "getattr":
            owner = full_name(node.args[0], known)
            found = [f"{owner}.{spelt(node.args[1])}"] if owner == "cnnlib" and spelt(node.args[1]) else []
        yield from ((name, node.lineno, id(node) not in inside) for name in found)


def is_importer(function: ast.expr, known: dict[str, str]) -> bool:
    """Whether the expression is a function that imports a module by its name."""
    return (full_name(function, known) or getattr(function, "id", "")) in IMPORTERS


def spelt(node: ast.expr, package: str = "") -> str:
    """The module that a string names, as far as it is written out: ``f"cnnlib.conv.{x}"`` gives cnnlib.conv."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    text = ""
    for part in node.values if isinstance(node, ast.JoinedStr) else ():
        if isinstance(part, ast.Constant):
            text += part.value
        elif getattr(part.value, "id", "") == "__name__":
            text += package
        else:
            break
    return text.rpartition(".")[0]


def hidden_faults(path: str, tree: ast.Module) -> list[str]:
    """Imports that cannot be read off the source: by a name that is computed, or by code in a string."""
    known, faults = names(tree), []
    called = {id(node.func): node for node in ast.walk(tree) if isinstance(node, ast.Call)}
    for node in ast.walk(tree):
        if not isinstance(node, ast.Name | ast.Attribute):
            continue
        call = called.get(id(node))
        if is_importer(node, known):
            hidden = path not in COMPUTED and not (call and call.args and spelt(call.args[0], "cnnlib"))
        elif isinstance(node, ast.Name) and node.id == "getattr" and call:
            hidden = full_name(call.args[0], known) == "cnnlib" and not spelt(call.args[1])
        else:
            hidden = (full_name(node, known) or getattr(node, "id", "")) in OPAQUE
        if hidden:
            faults.append(f"{path}:{node.lineno}: {ast.unparse(call or node)} hides what it imports; name the module")
    return faults


def floor_faults(path: str, tree: ast.Module) -> list[str]:
    """Imports of this file that lead up, to the right, or to a part that has no floor."""
    part = part_of(path)
    if part not in RANK:
        return [] if part == "" else [f"{path}: part {part!r} has no floor: give it its place in FLOORS"]
    faults = []
    for module, line, _ in imports(tree, package_of(path)):
        if module == "cnnlib" or not module.startswith("cnnlib."):
            continue
        other = module.split(".")[1]
        if other in RANK and RANK[other] > RANK[part]:
            faults.append(f"{path}:{line}: {part} may not import {other}, which stands above it or to its right")
    return [*dict.fromkeys(faults)]


def weight_faults(path: str, tree: ast.Module) -> list[str]:
    """Imports that make the library heavy, or tie a lower floor to a screen."""
    faults = []
    low = RANK.get(part_of(path), -1) < FIRST_WITH_SCREEN
    for module, line, loads in imports(tree, package_of(path)):
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
    modules = {package_of(path): tree for path, tree in all_trees.items()}
    graph = {}
    for name, tree in modules.items():
        wanted = {module for module, _, loads in imports(tree, name) if loads}
        graph[name] = {max((known for known in modules if module == known or module.startswith(known + ".")),
                           key=len) for module in wanted if module.split(".")[0] == "cnnlib"} - {name}
    return graph


def test_floors():
    assert [fault for path, tree in trees("cnnlib").items() for fault in floor_faults(path, tree)] == []


def test_light():
    assert [fault for path, tree in trees("cnnlib").items() for fault in weight_faults(path, tree)] == []


def test_no_import_is_hidden():
    assert [fault for path, tree in trees("cnnlib").items() for fault in hidden_faults(path, tree)] == []
    assert {path for path in COMPUTED if path in trees("cnnlib")} == set(COMPUTED)


def test_no_cycles():
    assert cycles(module_graph(trees("cnnlib"))) == []


@pytest.mark.parametrize("path, line, word", [
    ("cnnlib/geometry.py", "from cnnlib import conv", "conv"),
    ("cnnlib/_array.py", "from cnnlib.geometry import output_size", "geometry"),
    ("cnnlib/plots/grid.py", "def f():\n    import cnnlib.notebook", "notebook"),
    ("cnnlib/helpers.py", "x = 1", "no floor"),
    ("cnnlib/conv/fft.py", "from cnnlib import plots as geometry", "plots"),
    ("cnnlib/conv/fft.py", "import cnnlib as c\ndef f():\n    return c.plots", "plots"),
    ("cnnlib/conv/fft.py", "import cnnlib\nlib = cnnlib\nlib.widgets.show()", "widgets"),
    ("cnnlib/conv/fft.py", "import cnnlib\ngetattr(cnnlib, 'plots')", "plots"),
    ("cnnlib/conv/fft.py", "from importlib import import_module as load\nload('cnnlib.plots')", "plots"),
    ("cnnlib/conv/fft.py", "import importlib as i\ndef f(x):\n    i.import_module(f'cnnlib.plots.{x}')", "plots"),
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
    ("cnnlib/conv/fft.py", "def f():\n    import torch as numpy", "only the files"),
    ("cnnlib/conv/fft.py", "def f():\n    from torch import fft as np", "only the files"),
    ("cnnlib/conv/fft.py", "def f():\n    return __import__('torch')", "only the files"),
    ("cnnlib/conv/library.py", "from importlib import import_module as i\ntorch = i('torch')", "in the function"),
    ("cnnlib/images.py", "import importlib\ndef f():\n    importlib.import_module('matplotlib.pyplot')", "belongs to"),
])
def test_weight_rule_catches(path, line, word):
    [fault] = weight_faults(path, ast.parse(line))
    assert word in fault


@pytest.mark.parametrize("lines", [
    "import importlib\ndef f(name):\n    importlib.import_module(name)", "__import__('to' + 'rch')",
    "import importlib as i\nload = i.import_module", "from importlib import import_module as load\nload('tor'.join(x))",
    "list(map(__import__, ['torch']))", "exec('import torch')", "run = eval",
    "import runpy\nrunpy.run_path('x.py')",
    "from pkgutil import resolve_name as r\nr('torch:ones')", "import cnnlib\ngetattr(cnnlib, part)",
    "from importlib.util import module_from_spec as m\nm(x)", "import builtins\nbuiltins.exec(text)",
])
def test_hidden_rule_catches(lines):
    assert hidden_faults("cnnlib/conv/fft.py", ast.parse(lines))


def test_hidden_rule_leaves_good_lines_alone():
    lines = "from importlib import import_module\nimport_module('cnnlib.conv.fft')\ngetattr(module, name)\n" \
            "import_module(f'cnnlib.conv.{x}')\nimport_module(f'{__name__}.{x}')\nmodel.eval()"
    assert hidden_faults("cnnlib/conv/_methods.py", ast.parse(lines)) == []
    assert [name for name, _, _ in imports(ast.parse(lines), "cnnlib.conv")] == [
        "importlib.import_module", "cnnlib.conv.fft", "cnnlib.conv", "cnnlib.conv"]


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


@pytest.mark.parametrize("statement", ["import cnnlib", "from cnnlib import conv, geometry, images, data, course",
                                       "from cnnlib import layers, torch_layers, optim"])
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
