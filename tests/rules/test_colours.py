"""Every colour of a figure comes from the course's style, so that a quantity keeps its colour through the course."""

import ast
import re

import pytest
from checkout import code, notebooks, trees

KEYWORDS = re.compile(r"(?:.*_)?(?:c|color|colors|colour|colours|fc|ec|mfc|mec|.*facecolors?|.*edgecolors?)")
HEX = re.compile(r"#(?:[0-9A-Fa-f]{3,4}|[0-9A-Fa-f]{6}|[0-9A-Fa-f]{8})")
NO_COLOUR = {"none", "face", "inherit", "auto"}
FORMAT = re.compile(r"(?=.*[bgrcmykw])[bgrcmykw.,ov^<>1234sp*hH+xDd|_:-]{1,4}")  # "k--", "ro", but not "--"
GREY = {"gray", "grey", "gray_r"}


def colour_faults(path: str, tree: ast.Module) -> list[str]:
    """Hex colours, colours named in calls and assignments of style, colour maps other than grey."""
    faults = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and HEX.fullmatch(node.value):
            faults.append(f"{path}:{node.lineno}: colour {node.value!r}")
        if not isinstance(node, ast.Call):
            continue
        for keyword in node.keywords:
            for text in constants(keyword.value):
                named = KEYWORDS.fullmatch(keyword.arg or "") and text not in NO_COLOUR and not HEX.fullmatch(text)
                if named or (keyword.arg == "cmap" and text not in GREY):
                    faults.append(f"{path}:{keyword.value.lineno}: {keyword.arg}={text!r}")
        if isinstance(node.func, ast.Attribute) and node.func.attr == "plot":
            faults += [f"{path}:{node.lineno}: format {argument.value!r} names a colour" for argument in node.args
                       if isinstance(argument, ast.Constant) and isinstance(argument.value, str)
                       and FORMAT.fullmatch(argument.value)]
    return [f"{fault}; take it from cnnlib.plots.COLOURS" for fault in faults]


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
    "ax.plot(x, color='k' if dark else ink)",
])
def test_rule_catches(line):
    assert len(colour_faults("cnnlib/plots/x.py", ast.parse(line))) == 1


@pytest.mark.parametrize("line", [
    "ax.plot(x, y, '--', color=COLOURS['input'])", "ax.imshow(x, cmap='gray')", "ax.fill(x, y, facecolor='none')",
    "print('red')", "key = 'c'", "plot_grid(x, role='input')", "ax.plot(x, y, label='rows')",
])
def test_rule_leaves_good_lines_alone(line):
    assert colour_faults("cnnlib/plots/x.py", ast.parse(line)) == []
