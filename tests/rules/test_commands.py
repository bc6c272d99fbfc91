"""The README's plain commands are the Makefile's, and what the Makefile says of the machine holds."""

import os
import re
import shutil
import subprocess

import pytest
from checkout import ROOT, texts

from cnnlib.recipes import torch_index

needs_make = pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")
README = (ROOT / "README.md").read_text(encoding="utf-8")
START = "jupyter lab --LabApp.default_url=/lab/tree/notebooks/00_start_here.ipynb"
# What the README shows and make has no part in: a checkout, conda, the question to the doctor.
README_ALONE = {"git clone", "make lab", "conda env", "conda activate"}
# Targets whose commands the README gives in words; lab stands among the ways to install.
IN_WORDS = {"lab", "test", "test-all", "colab-install", "late-frames", "oldest-lab", "widgets-colab"}


# ---- plain commands


def dry_run(target: str) -> str:
    """What ``make target`` would run, where the course's own environment is there and no other one is."""
    there = [f"--old-file={name}" for name in (".venv/.test", ".venv/.course", ".venv/.chromium")]
    if target == "lab":
        there = ["--what-if=pyproject.toml"]
    made_from = "tests/colab-requirements.txt", "tests/floor-requirements.txt", "constraints.txt"
    anew = [f"--what-if={name}" for name in made_from]
    of_the_outer_make = ("MAKE", "MFLAGS", "COLAB", "CNNLIB_TEST")
    return subprocess.run(
        ["make", "--dry-run", "--no-print-directory", *there, *anew, target], cwd=ROOT, check=True,
        capture_output=True, text=True,
        env={key: value for key, value in os.environ.items() if not key.startswith(of_the_outer_make)}).stdout


def plain(recipe: str) -> list[str]:
    """The commands of a dry run as a reader would type them: no reports, no quiet, no checks, no marks of progress."""
    commands = []
    for line in recipe.replace("\\\n", " ").splitlines():
        line = re.sub(r"^(python3 -m venv) --clear (\S+) .*", r"\1 \2", line)
        line = re.sub(r" --junitxml=\S+ --basetemp=\S+| -q --disable-pip-version-check| --no-compile| --allow-root", "",
                      line)
        line = line.removeprefix("env -u OMP_NUM_THREADS ")
        line = re.sub(r"(?: notebooks/\w+\.ipynb)+$", " notebooks/*.ipynb", line)
        line = re.sub(r"(?:^|(?<= ))\.venv/bin/", "", " ".join(line.split()))
        if not re.match(r"echo |touch |mkdir |! |python3 -c ", line):
            commands.append(line)
    return commands


def shown(page: str) -> dict[str, list[str]]:
    """The README's commands by target: the lines below each ``# make target`` of its fenced blocks."""
    found = {}
    for block in re.findall(r"^```sh\n(.*?)^```", page, flags=re.MULTILINE | re.DOTALL):
        target = None
        for line in filter(None, block.splitlines()):
            if match := re.match(r"# make ([\w-]+)", line):
                target = match.group(1)
            elif target:
                found.setdefault(target, []).append(line)
    return found


def installs(page: str) -> list[list[str]]:
    """The blocks of commands that name no target, as if typed with the environment activated."""
    blocks = [block for block in re.findall(r"^```(?:sh|bat)\n(.*?)^```", page, flags=re.MULTILINE | re.DOTALL)
              if "# make " not in block]
    return [[re.sub(r"^\.venv[/\\](?:bin|Scripts)[/\\]", "", line).replace("py -3", "python3")
             for line in block.splitlines()] for block in blocks]


def command_faults(page: str, makefile: str) -> list[str]:
    """Targets that the page leaves out, and those whose commands are not what make runs."""
    targets = {name for name in phony(makefile) if not re.search("-(?:Haswell|SkylakeX)$", name)} - IN_WORDS
    pages = shown(page)
    faults = [f"make {name} is not shown" for name in sorted(targets - set(pages))]
    faults += [f"make {name} is no target" for name in sorted(set(pages) - targets)]
    for name in sorted(targets & set(pages)):
        runs = plain(dry_run(name))
        faults += [f"make {name} runs {command!r}, which is not shown" for command in runs
                   if command not in pages[name]]
        faults += [f"{command!r} is shown, and make {name} does not run it" for command in pages[name]
                   if command not in runs]
    return faults


def install_faults(page: str) -> list[str]:
    """Commands of installation that are neither what ``make lab`` runs nor the README's own."""
    runs = plain(dry_run("lab"))
    option = "$(python3 cnnlib/recipes/torch_index.py) "
    allowed = {*runs, *(command.replace(option, "") for command in runs),
               *(command.replace(option, f"--extra-index-url {torch_index.CPU_INDEX} ") for command in runs)}
    return [f"{line!r} is not what make lab runs" for block in installs(page) for line in block
            if line not in allowed and " ".join(line.split()[:2]) not in README_ALONE]


def phony(makefile: str) -> set[str]:
    """The targets of the Makefile that are commands."""
    known = re.findall(r"^([\w-]+(?: [\w-]+)*):(?!=)", makefile, flags=re.MULTILINE)
    return {name for group in known for name in group.split()}


@needs_make
def test_readme_shows_what_make_runs():
    assert command_faults(README, MAKEFILE) == []


@needs_make
def test_readme_installs_as_make_does():
    blocks = installs(README)
    assert sum(START in block for block in blocks) == 3  # Windows, without make, conda
    assert install_faults(README) == []


@needs_make
@pytest.mark.parametrize("old, new, words", [
    ("python -m cnnlib stamp --check\n", "", "make lint runs 'python -m cnnlib stamp --check', which is not shown"),
    (".venv-colab/bin/python -m pytest tests/colab\n", "", "python -m pytest tests/colab', which is not shown"),
    ("--dist loadscope -W default notebooks\n", "notebooks\n", "-n 2 notebooks' is shown, and make nbval does not run"),
    ("# make js", "# make javascript", "make javascript is no target"),
])
def test_command_rule_catches(old, new, words):
    assert old in README
    assert words in "\n".join(command_faults(README.replace(old, new), MAKEFILE))


@needs_make
@pytest.mark.parametrize("old, new", [
    (".venv\\Scripts\\python -m pip install -c constraints.txt", ".venv\\Scripts\\python -m pip install"),
    ("-c constraints.txt --extra-index-url https://download.pytorch.org/whl/cpu", "--index-url x torch"),
    (START, "jupyter lab notebooks/00_start_here.ipynb"), (".venv\\Scripts\\jupyter", ".venv\\bin\\jupyterlab"),
])
def test_install_rule_catches(old, new):
    assert old in README
    assert install_faults(README.replace(old, new))


# ---- targets that are named exist


def unknown_targets(page: str, makefile: str) -> set[str]:
    """Targets that a page names as `make x` and the Makefile has not."""
    known = phony(makefile)
    phases = re.search(r"^PHASES +:= (.*)$", makefile, flags=re.MULTILINE)
    assert set(phases.group(1).split()) <= known
    return set(re.findall(r"\bmake ([a-z][\w-]*)`", page)) - known


@pytest.mark.parametrize("name", [name for name in texts(".md", ".py") if name != "tests/rules/test_commands.py"])
def test_named_make_targets_exist(name):
    assert unknown_targets(texts(".md", ".py")[name], MAKEFILE) == set()


def test_make_rule_catches():
    makefile = "PHASES := unit\nlab: x\n\techo\nunit notebooks:\n\techo\n"
    assert unknown_targets("run `make lab`, `make unit`, `make everything`", makefile) == {"everything"}


def test_ci_calls_make_test():
    script = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    assert re.search(r"^exec make test$", script, flags=re.MULTILINE)


# ---- Chromium


def test_make_and_the_tests_look_for_the_same_browsers():
    [names] = re.findall(r"^CHROMIUM := (.*)$", MAKEFILE, flags=re.MULTILINE)
    [in_tests] = re.findall(r'^    names = \((.*)\)$', texts(".py")["tests/browser/harness.py"], flags=re.MULTILINE)
    assert names.split() == re.findall(r'"([^"]+)"', in_tests)


@needs_make
@pytest.mark.parametrize("present, words", [
    ("chromium", ""), ("google-chrome", ""), ("chromium-browser", ""), ("firefox", "apt-get update"),
])
def test_any_chromium_will_do(present, words, tmp_path):
    """Nothing is installed where one of the browsers is there, whichever; apt is asked where none is, and may fail."""
    for tool in ("make", "sh", "id", "mkdir", "grep", "echo"):
        (tmp_path / tool).symlink_to(shutil.which(tool))
    for name, text in ((present, "exit 0"), ("apt-get", 'echo "apt-get $*"; exit 1'), ("sudo", 'shift; "$@"')):
        (tmp_path / name).write_text(f"#!/bin/sh\n{text}\n")
        (tmp_path / name).chmod(0o755)
    run = subprocess.run(["make", "--no-print-directory", ".venv/.chromium"], cwd=ROOT, capture_output=True, text=True,
                         env={"PATH": str(tmp_path)})
    assert run.returncode == 0
    assert words in run.stdout if words else run.stdout == ""
    assert ("the browser tests will skip" in run.stdout) == bool(words)
