"""Nothing is written twice: no function body, and in a notebook no function that the library has."""

import ast
from collections import defaultdict

from checkout import code, notebooks, texts, trees

FEWEST = 5  # statements; shorter bodies are often the same by nature
LINES = 6  # that may not stand twice in a row, docstrings and imports aside


def bodies(tree: ast.Module):
    """Each function as (name, line, arguments, body without docstring, what of the body no renaming can change)."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            body = node.body[1:] if ast.get_docstring(node) is not None else node.body
            parts = [child for part in body for child in ast.walk(part)]
            kinds = tuple(type(child) for child in parts if isinstance(child, ast.stmt))
            if len(kinds) >= FEWEST:
                attributes = tuple(child.attr for child in parts if isinstance(child, ast.Attribute))
                yield node.name, node.lineno, node.args, body, (kinds, attributes)


def normalised(arguments: ast.arguments, body: list[ast.stmt]) -> str:
    """The body as text in which the n-th name that the function binds is ``_n``: renaming does not hide a copy."""
    bound = [argument.arg for argument in ast.walk(arguments) if isinstance(argument, ast.arg)]
    bound += [name.id for part in body for name in ast.walk(part)
              if isinstance(name, ast.Name) and isinstance(name.ctx, ast.Store)]
    new = {name: f"_{position}" for position, name in enumerate(dict.fromkeys(bound))}
    copy = ast.parse("\n".join(ast.unparse(part) for part in body))
    for name in ast.walk(copy):
        if isinstance(name, ast.Name):
            name.id = new.get(name.id, name.id)
    return ast.unparse(copy)


def twice(all_trees: dict[str, ast.Module]) -> list[str]:
    """Functions with the same body, each group as one line."""
    alike, places = defaultdict(list), defaultdict(list)
    for path, tree in all_trees.items():
        for name, line, arguments, body, kind in bodies(tree):
            alike[kind].append((f"{path}:{line} {name}", arguments, body))
    for group in alike.values():
        for place, arguments, body in group if len(group) > 1 else ():  # one of its kind has no double
            places[normalised(arguments, body)].append(place)
    return [" = ".join(sorted(group)) for group in places.values() if len(group) > 1]


def lines_of(path: str, text: str) -> list[str]:
    """The lines that do something, without their indent: no imports, no comments, in Python no docstrings."""
    if path.endswith(".py"):
        tree = ast.parse(text)
        for node in ast.walk(tree):
            if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
                node.body = node.body[ast.get_docstring(node) is not None:] or [ast.Pass()]
        text = ast.unparse(tree)
    lines = (line.strip() for line in text.splitlines())
    return [line for line in lines if len(line) > 3 and not line.startswith(("import ", "from ", "//", "@"))]


def repeated(all_texts: dict[str, str]) -> list[str]:
    """Runs of lines that stand in several places, each as one line."""
    places = defaultdict(list)
    for path, text in all_texts.items():
        lines = lines_of(path, text)
        for k in range(len(lines) - LINES + 1):
            places[tuple(lines[k:k + LINES])].append(path)
    return [f"{' = '.join(group)}: {run[0]} …" for run, group in places.items() if len(group) > 1]


def public_names(all_trees: dict[str, ast.Module]) -> set[str]:
    """What the library offers: functions and classes of its public files, and what its packages pass on."""
    names = set()
    for path, tree in all_trees.items():
        is_package = path.endswith("/__init__.py")
        if path.startswith("cnnlib/recipes") or (not is_package and "/_" in path):
            continue
        for node in tree.body:
            if isinstance(node, ast.FunctionDef | ast.ClassDef):
                names.add(node.name)
            elif is_package and isinstance(node, ast.ImportFrom):
                names |= {alias.asname or alias.name for alias in node.names}
    return {name for name in names if not name.startswith("_")}


def redone(notebook: dict, public: set[str]) -> list[str]:
    """Functions of the library that a notebook defines again. A method may have any name: each layer has a forward."""
    nodes = [node for cell in code(notebook) for node in ast.walk(ast.parse(cell))]
    methods = {part for node in nodes if isinstance(node, ast.ClassDef) for part in node.body}
    found = [node.name for node in nodes if isinstance(node, ast.FunctionDef | ast.ClassDef) and node not in methods]
    found += [target.id for node in nodes if isinstance(node, ast.Assign) and isinstance(node.value, ast.Lambda)
              for target in node.targets if isinstance(target, ast.Name)]
    return [name for name in found if name in public]


def as_trees(all_notebooks: dict[str, dict]) -> dict[str, ast.Module]:
    return {path: ast.parse("\n".join(code(notebook))) for path, notebook in all_notebooks.items()}


def test_no_function_is_written_twice():
    assert twice({**trees("cnnlib"), **trees("tests"), **as_trees(notebooks())}) == []


def test_no_six_lines_stand_twice():
    assert repeated(texts(".py", ".js", ".mjs")) == []


def test_no_notebook_redoes_the_library():
    public = public_names(trees("cnnlib"))
    assert {path: names for path, notebook in notebooks().items() if (names := redone(notebook, public))} == {}


def test_a_renamed_copy_is_caught():
    one = "def f(a, b):\n    'Doc.'\n    c = a + b\n    for i in range(3):\n        c += i\n    d = c * 2\n    return d"
    other = one.replace("f(a, b)", "g(x, y)").replace("a + b", "x + y").replace("c ", "z ").replace("Doc", "Other")
    assert twice({"a.py": ast.parse(one), "b.py": ast.parse(other)}) == ["a.py:1 f = b.py:1 g"]
    assert twice({"a.py": ast.parse(one), "b.py": ast.parse(other.replace("* 2", "* 3"))}) == []


def test_a_redefinition_in_a_notebook_is_caught():
    cell = {"cell_type": "code", "source": ["%matplotlib inline\n", "def conv2d(x, w):\n", "    return x\n",
                                             "max_pool2d = lambda x: x\n", "relu = lambda x: x"]}
    public = public_names({"cnnlib/conv/__init__.py": ast.parse("from cnnlib.conv._conv2d import conv2d"),
                           "cnnlib/conv/_run.py": ast.parse("def run(): pass"),
                           "cnnlib/pool.py": ast.parse("def max_pool2d(): pass")})
    assert public == {"conv2d", "max_pool2d"}
    assert redone({"cells": [cell]}, public) == ["conv2d", "max_pool2d"]
    cell["source"] = ["class Layer:\n", "    def conv2d(self, x):\n", "        return x\n"]
    assert redone({"cells": [cell]}, public) == []


def test_repeated_lines_are_caught():
    one = '"Doc."\nimport os\n' + "\n".join(f"line{k} = {k}" for k in range(6))
    other = "def f():\n    'Another.'\n" + "\n".join(f"    line{k} = {k}" for k in range(7))
    assert repeated({"a.py": one, "b.py": other}) == ["a.py = b.py: line0 = 0 …"]
    assert repeated({"a.py": one, "b.py": other.replace("line3 = 3", "line3 = 4")}) == []
