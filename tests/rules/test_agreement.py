"""What must stand in several files says the same in each, and what must stand nowhere does not."""

import re
import tomllib
from functools import cache

import pytest
from checkout import ROOT, texts
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import cnnlib
from cnnlib.recipes import stamp

# Where conda-forge spells a package in its own way.
CONDA_NAMES = {"torch": "pytorch", "opencv-python-headless": "py-opencv"}
TEXT = (".py", ".md", ".ipynb", ".toml", ".yml", ".txt", ".js", ".mjs", ".css", ".cfg", ".mplstyle", ".html", "")
BESIDE = "../" + "shared"


@cache
def project() -> dict:
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def requirements(*extras: str) -> list[Requirement]:
    """What the package needs, with these extras; an extra that names another is followed."""
    table = project()["project"]
    wanted, found = [*table["dependencies"]], []
    for extra in extras:
        wanted += table["optional-dependencies"][extra]
    for requirement in map(Requirement, wanted):
        if requirement.name == "cnnlib":
            found += requirements(*requirement.extras)[len(table["dependencies"]):]
        else:
            found.append(requirement)
    return found


# ---- address and tag


def strangers(text: str, repository: str) -> int:
    """How often the repository's address stands where `stamp` does not find it."""
    return stamp.stamped(text, "no/where", "v0").count(repository)


def test_address_tag_setup_cells_and_course_map_agree():
    assert stamp.disagreements() == []


def test_address_stands_only_where_it_is_stamped():
    repository = stamp.identity()["repository"]
    assert {name: count for name, text in texts(*TEXT).items()
            if name not in ("pyproject.toml", "tests/rules/test_agreement.py")
            and (count := strangers(text, repository))} == {}


def test_tag_is_the_version():
    assert stamp.identity()["tag"] == f"v{cnnlib.__version__}"


def test_address_rule_catches(tmp_path):
    (tmp_path / "notebooks").mkdir()
    (tmp_path / "pyproject.toml").write_text('[tool.cnnlib]\nrepository = "ann/course"\ntag = "v2.0"\n')
    page = tmp_path / "README.md"
    page.write_text(stamp.BADGES.format(repository="ann/course", tag="v1.0", name="20_convolution"))
    assert stamp.disagreements(tmp_path) == ["README.md: address, tag, set-up cell, course map or needs out of date"]
    page.write_text(stamp.badges("20_convolution", tmp_path))
    assert stamp.disagreements(tmp_path) == []
    assert strangers("see https://github.com/ann/course/wiki", "ann/course") == 1
    assert strangers(page.read_text(), "ann/course") == 0


# ---- dependencies


def conda_faults(environment: str, wanted: list[Requirement]) -> list[str]:
    """Where an environment.yml says something else than these requirements."""
    lists = {}
    for line in environment.splitlines():
        if re.match(r"\S+:", line):
            key = line.split(":")[0]
        elif match := re.match(r"\s+- (.+?)\s*$", line):
            lists.setdefault(key, []).append(match.group(1))
    *packages, pip, last = lists["dependencies"]
    expected = {CONDA_NAMES.get(item.name, item.name) + str(item.specifier) for item in wanted}
    expected |= {"python" + project()["project"]["requires-python"], "hatchling", "pip"}
    faults = [f"{name} is missing" for name in sorted(expected - set(packages))]
    faults += [f"{name} is not asked for by pyproject.toml" for name in sorted(set(packages) - expected)]
    if lists["channels"] != ["conda-forge", "nodefaults"]:
        faults.append(f"channels {lists['channels']}, not conda-forge alone")
    if (pip, last) != ("pip:", "-e ."):
        faults.append("the last entry is not `pip: -e .`")
    return faults


def test_conda_environment_agrees():
    text = (ROOT / "environment.yml").read_text(encoding="utf-8")
    assert conda_faults(text, requirements("torch", "course")) == []


@pytest.mark.parametrize("old, new, word", [
    ("  - sympy\n", "", "sympy is missing"), ("numpy>=1.26", "numpy>=2", "numpy>=2 is not asked for"),
    ("conda-forge", "defaults", "channels"), ("- -e .", "- cnnlib", "last entry"),
])
def test_conda_rule_catches(old, new, word):
    text = (ROOT / "environment.yml").read_text(encoding="utf-8").replace(old, new)
    assert word in "\n".join(conda_faults(text, requirements("torch", "course")))


def pin_faults(constraints: str, wanted: list[Requirement]) -> list[str]:
    """Requirements that are not pinned to one exact version, or to one they do not allow."""
    pins = {}
    for line in constraints.splitlines():
        if line and not line.startswith("#"):
            requirement = Requirement(line)
            pins[canonicalize_name(requirement.name)] = [*requirement.specifier]
    faults = []
    for item in wanted:
        match pins.get(canonicalize_name(item.name)):
            case [pin] if pin.operator == "==" and item.specifier.contains(pin.version):
                pass
            case found:
                faults.append(f"{item} is pinned to {found}")
    return faults


def test_constraints_pin_every_requirement():
    text = (ROOT / "constraints.txt").read_text(encoding="utf-8")
    assert pin_faults(text, requirements("torch", "course", "test")) == []


def test_pin_rule_catches():
    assert len(pin_faults("numpy==1.20\nscipy>=1\n", [Requirement(r) for r in ("numpy>=1.26", "scipy", "sympy")])) == 3


def test_no_upper_pins():
    specifiers = [str(item) for item in requirements(*project()["project"]["optional-dependencies"])]
    assert [item for item in specifiers if re.search(r"<|==|~=", item.split(";")[0])] == []


# ---- words that must stand nowhere


def test_only_ci_knows_what_lies_beside_the_checkout():
    assert {name for name, text in texts(*TEXT, ".sh").items() if BESIDE in text} <= {".ci/run"}
    assert BESIDE in (ROOT / ".ci" / "run").read_text(encoding="utf-8")


# Folders of one machine, and registries' hosts: spelt in pieces, so that this file passes its own rule.
MACHINE = re.compile(r"(?<![\w.*])/(?:wo" r"rk|ro" r"ot|far" r"m)/|/tm" r"p/[a-z]"
                     r"|pypi\.o" r"rg|registry\.npm" r"js|pythonhost" r"ed")


def machine_faults(name: str, text: str) -> list[str]:
    return [f"{name}:{text[:match.start()].count(chr(10)) + 1}: {match.group(0)!r}" for match in MACHINE.finditer(text)]


def test_no_path_of_one_machine():
    assert [fault for name, text in texts(*TEXT).items() for fault in machine_faults(name, text)] == []


def test_machine_rule_catches():
    assert machine_faults("a.py", "x = 1\nopen('/wo" + "rk/x')") == ["a.py:2: '/wo" + "rk/'"]
    assert machine_faults("a.py", "files.pythonhost" + "ed.org") and not machine_faults("a.py", "cnnlib/work/x")
