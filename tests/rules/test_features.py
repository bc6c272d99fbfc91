"""What the README says of the library is there: the modules, the names in them, the recipes."""

import importlib
import importlib.util
import re

import pytest
from checkout import ROOT

from cnnlib import train

README = (ROOT / "README.md").read_text(encoding="utf-8")
TABLE = README.partition("## What the library has")[2].partition("\n## ")[0]
ROWS = [line.strip("|").split("|") for line in TABLE.splitlines() if line.startswith("| `")]


@pytest.mark.parametrize("modules, names", [pytest.param(row[0], row[1], id=row[0].strip()) for row in ROWS])
def test_each_name_is_there(modules, names):
    found = [importlib.import_module(module) for module in re.findall(r"`(cnnlib\.\w+)`", modules)]
    assert found
    for name in set(re.findall(r"`(\w+)`", names)) - {"_backward"}:
        assert any(has(module, name) for module in found), name


def has(module, name):
    """Whether a module has this name, or is a package with a module of this name."""
    return hasattr(module, name) or (hasattr(module, "__path__")
                                     and importlib.util.find_spec(f"{module.__name__}.{name}") is not None)


def test_the_table_names_what_there_is():
    assert len(ROWS) >= 9


def test_recipes():
    named = re.findall(r"train ([\w-]+)|`([\w-]+)`", TABLE.partition("Longer runs")[2])
    assert {one or other for one, other in named} == {*train.RECIPES, "torchrun"}
