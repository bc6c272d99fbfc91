"""Every colour of a figure comes from the course's style, so that a quantity keeps its colour through the course."""

import ast
import re

import pytest
from checkout import code, full_name, names, notebooks, trees

KEYWORDS = re.compile(r"(?:.*_)?(?:c|color|colors|colour|colours|fc|ec|mfc|mec|.*facecolors?|.*edgecolors?)")
HEX = re.compile(r"#(?:[0-9A-Fa-f]{3,4}|[0-9A-Fa-f]{6}|[0-9A-Fa-f]{8})")
NO_COLOUR = {"none", "face", "inherit", "auto"}
FORMAT = re.compile(r"(?=.*[bgrcmykw])[bgrcmykw.,ov^<>1234sp*hH+xDd|_:-]{1,4}")  # "k--", "ro", but not "--"
GREY = {"gray", "grey", "gray_r"}
MAPS = ("matplotlib.cm", "matplotlib.pyplot.cm")


def colour_faults(path: str, tree: ast.Module) -> list[str]:
    """Hex colours, colours named or mixed in calls, setters and settings, colour maps other than grey."""
    known, faults = names(tree), []
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and HEX.fullmatch(node.value):
            faults.append(f"{path}:{node.lineno}: colour {node.value!r}")
        faults += [f"{path}:{value.lineno}: {word}={text}" for word, value in settings(node)
                   for text in colours(word, value)]
        if isinstance(node, ast.Attribute) and full_name(node.value, known) in MAPS:
            faults += [f"{path}:{node.lineno}: colour map {node.attr!r}"] * (node.attr not in {*GREY, "get_cmap"})
        if isinstance(node, ast.ImportFrom) and node.module in MAPS:
            faults += [f"{path}:{node.lineno}: colour map {alias.name!r}" for alias in node.names
                       if alias.name not in {*GREY, "get_cmap"}]
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "plot":
            faults += [f"{path}:{node.lineno}: format {argument.value!r} names a colour" for argument in node.args
                       if isinstance(argument, ast.Constant) and isinstance(argument.value, str)
                       and FORMAT.fullmatch(argument.value)]
    return [f"{fault}; take it from cnnlib.plots.COLOURS" for fault in faults]


def settings(node: ast.AST):
    """What a node sets, as (name, value): keywords, entries of dictionaries, first arguments of setters."""
    if isinstance(node, ast.Call):
        yield from ((keyword.arg or "", keyword.value) for keyword in node.keywords)
        called = getattr(node.func, "attr", getattr(node.func, "id", ""))
        if node.args and (called.startswith("set_") or called == "get_cmap"):
            yield called[4:], node.args[0]
    elif isinstance(node, ast.Dict):
        yield from ((key.value, value) for key, value in zip(node.keys, node.values)
                    if isinstance(key, ast.Constant) and "color" in str(key.value))
    elif isinstance(node, ast.Subscript) and getattr(node.value, "attr", "") == "colormaps":
        yield "cmap", node.slice
    elif isinstance(node, ast.Assign) and isinstance(target := node.targets[0], ast.Subscript):
        if isinstance(target.slice, ast.Constant) and "color" in str(target.slice.value):  # rcParams["text.color"]
            yield target.slice.value, node.value


def colours(word: str, value: ast.expr) -> list[str]:
    """The colours that are spelt out in a value of that name, each as it is written."""
    name = word.split(".")[-1]
    if name == "cmap":
        return [repr(text) for text in constants(value) if text not in GREY]
    if not KEYWORDS.fullmatch(name):
        return []
    mixed = [part for part in ast.walk(value) if isinstance(part, ast.Tuple | ast.List) and len(part.elts) in (3, 4)
             and all(isinstance(getattr(number, "value", None), int | float) for number in part.elts)]
    return [repr(text) for text in constants(value) if text not in NO_COLOUR and not HEX.fullmatch(text)] + \
        [ast.unparse(part) for part in mixed]


def constants(node: ast.expr) -> list[str]:
    """The string constants that an argument may evaluate to, keys of a look-up excepted."""
    if isinstance(node, ast.Constant):
        return [node.value] if isinstance(node.value, str) else []
    if isinstance(node, ast.List | ast.Tuple):
        return [text for part in node.elts for text in constants(part)]
    if isinstance(node, ast.IfExp):
        return constants(node.body) + constants(node.orelse)
    return []


def test_library_takes_colours_from_the_style():
    assert [fault for path, tree in trees("cnnlib").items() for fault in colour_faults(path, tree)] == []


@pytest.mark.parametrize("name", notebooks())
def test_notebook_takes_colours_from_the_style(name):
    assert colour_faults(name, ast.parse("\n".join(code(notebooks()[name])))) == []


@pytest.mark.parametrize("line", [
    "ax.bar(x, y, color='#0072B2')", "ax.text(0, 0, 'a', color='red')", "add(Rectangle(a, 1, 1, edgecolor='k'))",
    "ax.plot(x, y, 'k--')", "ax.imshow(x, cmap='viridis')", "blue = '#00F'", "ax.bar(x, y, color=['C0', colour])",
    "ax.plot(x, color='k' if dark else ink)", "line.set_color('C1')", "ax.set_facecolor('white')",
    "style = {'edgecolor': 'red'}", "ax.bar(x, y, color=(0.1, 0.2, 0.5))", "plt.rcParams['axes.facecolor'] = 'white'",
    "from matplotlib import cm as maps\nshade = maps.viridis", "from matplotlib.cm import magma as grey",
    "import matplotlib.pyplot as p\np.get_cmap('jet')",
    "import matplotlib as m\nm.colormaps['jet']", "image.set_cmap('viridis')",
    "from matplotlib import pyplot as plt\nplt.cm.jet(0.5)",
])
def test_rule_catches(line):
    assert len(colour_faults("cnnlib/plots/x.py", ast.parse(line))) == 1


@pytest.mark.parametrize("line", [
    "ax.plot(x, y, '--', color=COLOURS['input'])", "ax.imshow(x, cmap='gray')", "ax.fill(x, y, facecolor='none')",
    "print('red')", "key = 'c'", "plot_grid(x, role='input')", "ax.plot(x, y, label='rows')",
    "ax.set_title('red')", "legend = {'c': 'classes'}", "import matplotlib.pyplot as plt\nplt.cm.gray(0.5)",
    "ax.set_facecolor(COLOURS['paper'])",
    "COLOURS['input']", "sizes['c'] = (1, 2, 3)",
])
def test_rule_leaves_good_lines_alone(line):
    assert colour_faults("cnnlib/plots/x.py", ast.parse(line)) == []
