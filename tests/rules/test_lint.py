"""ruff finds nothing in the library, the tests and the notebooks' code."""

import subprocess
import sys

from checkout import ROOT


def ruff(*arguments, **options):
    return subprocess.run([sys.executable, "-m", "ruff", "check", "--no-cache", *arguments], cwd=ROOT,
                          capture_output=True, text=True, **options)


def test_lint():
    found = ruff("--output-format", "concise")
    assert found.returncode == 0, found.stdout + found.stderr


def test_the_rules_are_on():
    """An unused import, a bare `raises` and a long line are found under the project's settings."""
    bad = "import os\nimport pytest\n\n\ndef test():\n    with pytest.raises(ValueError):\n        int('x')\n"
    bad += "long = " + "x" * 120
    found = ruff("--stdin-filename", "tests/bad.py", "-", "--output-format", "concise", input=bad)
    assert found.returncode == 1
    assert all(rule in found.stdout for rule in ("F401", "PT011", "E501"))
