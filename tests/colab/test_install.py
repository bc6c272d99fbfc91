"""Installing cnnlib as a set-up cell does changes no other package; runs in the environment of `make test-colab`."""

import shlex
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.skipif(Path(sys.prefix).name != ".venv-colab", reason="installs packages: make test-colab")


def pip(*arguments):
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True, cwd=ROOT).stdout


def packages():
    return {line for line in pip("freeze", "--all").splitlines() if not line.startswith("cnnlib")}


def options_of_the_setup_cell():
    """What the set-up cell says to pip, short of the address of the release."""
    template = (ROOT / "cnnlib" / "recipes" / "stamp.py").read_text(encoding="utf-8")
    [line] = [line for line in template.splitlines() if line.strip().startswith("%pip install")]
    *options, address = shlex.split(line)[2:]
    assert address.startswith("cnnlib @ https://github.com/")
    return options


def test_setup_cell_changes_no_other_package():
    pip("uninstall", "-y", "cnnlib")
    before = packages()
    pip("install", *options_of_the_setup_cell(), ".")
    assert packages() == before
    where = subprocess.run([sys.executable, "-c", "import cnnlib; print(cnnlib.__file__)"], check=True,
                           capture_output=True, text=True, cwd="/").stdout
    assert sys.prefix in where, "the notebooks would not run with the installed package"


def test_the_comparison_can_fail():
    """A package that the installation brings along, or replaces, is seen."""
    before = packages()
    pip("install", "-q", "--no-deps", "iniconfig==2.0.0")
    changed = packages() ^ before
    pip("install", "-q", "--no-deps", *(line for line in before if line.startswith("iniconfig")))
    assert {name.partition("==")[0] for name in changed} == {"iniconfig"}
    assert packages() == before
