"""The recipes do what they say: stamp, the commands, notebooks' execution and run time, the sum of a test run."""

import json
import subprocess
import sys

import pytest

import cnnlib
from cnnlib import course
from cnnlib.recipes import notebooks, stamp, torch_index

nbformat = pytest.importorskip("nbformat")


# ---- the package


def test_parts_are_found_when_they_are_named():
    assert cnnlib.geometry.output_size(7, 3) == 5
    assert {"conv", "geometry", "course"} <= set(dir(cnnlib))
    with pytest.raises(AttributeError, match="module 'cnnlib' has no attribute 'convolutions'"):
        cnnlib.convolutions  # noqa: B018


def test_lecture_by_number():
    assert course.lecture("21").name == "21_shapes_and_receptive_fields"
    with pytest.raises(ValueError, match="no lecture '99'; the numbers are 00, 10"):
        course.lecture("99")


def test_existing_lectures_are_in_course_order():
    assert [item.number for item in course.existing()] == sorted(course.WRITTEN)
    assert not course.exists(course.lecture("57")) or "57" in course.WRITTEN


@pytest.mark.parametrize("arguments, code", [([], 0), (["cure"], 2), (["stamp", "--now"], 2), (["notebooks", "99"], 2)])
def test_commands(arguments, code):
    run = subprocess.run([sys.executable, "-m", "cnnlib", *arguments], capture_output=True, text=True, cwd=stamp.ROOT)
    assert (run.returncode, run.stderr) == (code, "")
    assert "doctor" in run.stdout or "usage" in run.stdout or "no notebook begins with 99" in run.stdout


# ---- stamp


@pytest.fixture
def checkout(tmp_path, monkeypatch):
    """A made-up checkout with one notebook and a README, last stamped by somebody else."""
    monkeypatch.setattr(stamp, "ROOT", tmp_path)
    (tmp_path / "pyproject.toml").write_text('[tool.cnnlib]\nrepository = "ann/course"\ntag = "v2.0"\n')
    (tmp_path / "notebooks").mkdir()
    old = {"repository": "bob/old-course", "tag": "v1.0"}
    page = f"{stamp.BADGES.format(name='20_convolution', **old)}\n`git clone https://github.com/bob/old-course.git`\n" \
           "[another project](https://github.com/bob/other/blob/v1.0/x)\n" \
           f"{stamp.MAP_BEGIN}\nold map\n{stamp.MAP_END}\nend\n"
    (tmp_path / "README.md").write_text(page)
    title = "# 20\n\nBefore: 99 · Time: 45 min\n\n" + stamp.BADGES.format(name="20_convolution", **old)
    cells = [{"cell_type": "markdown", "source": [title]},
             {"cell_type": "code", "source": [stamp.SETUP_CELL.format(**old)]}]
    (tmp_path / "notebooks" / "20_convolution.ipynb").write_text(json.dumps({"cells": cells}))
    return tmp_path


def test_stamp_brings_every_address_up_to_date(checkout):
    assert len(stamp.disagreements(checkout)) == 2
    for path in stamp.files(checkout):
        path.write_text(stamp._new_text(path, checkout))
    assert stamp.disagreements(checkout) == []
    page = (checkout / "README.md").read_text()
    assert stamp.badges("20_convolution", checkout) in page
    assert "git clone https://github.com/ann/course.git" in page
    assert "https://github.com/bob/other/blob/v1.0/x" in page  # not ours
    assert "[Convolution](notebooks/20_convolution.ipynb)" in page and "Pooling *(planned)*" in page
    assert "old map" not in page and page.endswith("end\n")
    cells = json.loads((checkout / "notebooks" / "20_convolution.ipynb").read_text())["cells"]
    assert "".join(cells[1]["source"]) == stamp.setup_cell(checkout)
    assert cells[0]["source"][2] == "Before: (12 Edges will help, once it is written) · Time: 45 min\n"


@pytest.mark.parametrize("number, written, before", [
    ("20", "00 11 12", "[12 Edges](12_edges.ipynb)"),
    ("15", "00 13", "[13 Histograms of oriented gradients](13_hog.ipynb), [00 Start here](00_start_here.ipynb) "
                    "(14 SIFT and SURF will help, once it is written)"),
    ("32", "21 30", "[21 Shapes and receptive fields](21_shapes_and_receptive_fields.ipynb), "
                    "[30 Back-propagation](30_backprop.ipynb) (22 Pooling and 31 Back-propagation through convolution "
                    "will help, once they are written)"),
    ("31", "20", "[20 Convolution](20_convolution.ipynb) (30 Back-propagation will help, once it is written)"),
])
def test_planned_needs_are_named_as_planned(number, written, before):
    assert course.before(course.lecture(number), written=lambda item: item.number in written.split()) == before


def test_stamp_check_writes_nothing(checkout, capsys):
    before = (checkout / "README.md").read_text()
    assert stamp.main(["--check"]) == 1
    assert capsys.readouterr().out.count("out of date") == 2
    assert (checkout / "README.md").read_text() == before
    assert stamp.main([]) == 0
    assert stamp.main(["--check"]) == 0


# ---- notebooks


def written(folder, *sources, title="# T\n\nRuns on: CPU in NN s"):
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell(title),
                                               *map(nbformat.v4.new_code_cell, sources)])
    path = folder / "22_pooling.ipynb"
    nbformat.write(notebook, path)
    return path


def test_renew_executes_and_normalises(tmp_path):
    path = written(tmp_path, "print(6 * 7)", "import os\nos.path.basename(os.getcwd())")
    assert notebooks.renew(path).startswith("ok     22_pooling: ")
    notebook = json.loads(path.read_text())
    assert notebook["cells"][1]["outputs"][0]["text"] == ["42\n"]
    assert notebook["cells"][2]["outputs"][0]["data"]["text/plain"] == [repr(tmp_path.name)]  # in its own folder
    assert notebook["cells"][0]["source"][-1] in ("Runs on: CPU in 5 s", "Runs on: CPU in 10 s")
    assert notebooks.check(path) == "ok     22_pooling"


def test_renew_reports_what_failed_and_keeps_the_file(tmp_path):
    path = written(tmp_path, "1 / 0")
    before = path.read_text()
    report = notebooks.renew(path)
    assert report.startswith("FAILED 22_pooling") and "ZeroDivisionError" in report
    assert path.read_text() == before


def test_renew_finds_what_only_this_machine_prints(tmp_path):
    assert "object at 0x" in notebooks.renew(written(tmp_path, "object()")).replace("'at 0x", "object at 0x")


@pytest.mark.parametrize("stands, seconds, figure", [
    ("NN", 3.2, 5), ("NN", 21, 30), ("20", 19, 20), ("20", 11, 20), ("20", 9, 10), ("20", 20.5, 30), ("30", 61, 90),
])
def test_run_time_is_renewed_only_when_it_no_longer_holds(stands, seconds, figure):
    notebook = {"cells": [{"cell_type": "markdown", "source": f"Runs on: CPU in {stands} s (GPU optional)"}]}
    source = notebooks.with_run_time(notebook, seconds)["cells"][0]["source"]
    assert source == f"Runs on: CPU in {figure} s (GPU optional)"


# ---- torch's CPU build


@pytest.mark.parametrize("platform, driver, reachable, option", [
    ("linux", False, True, "--extra-index-url https://download.pytorch.org/whl/cpu"),
    ("linux", True, True, ""), ("linux", False, False, ""), ("darwin", False, True, ""), ("win32", False, True, ""),
])
def test_cpu_build_is_asked_for_where_it_is_right(monkeypatch, platform, driver, reachable, option):
    monkeypatch.setattr(torch_index.sys, "platform", platform)
    monkeypatch.setattr(torch_index, "has_nvidia_driver", lambda: driver)
    monkeypatch.setattr(torch_index, "is_reachable", lambda address: reachable)
    assert torch_index.pip_option() == option


# ---- the sum of a test run


def junit(folder, phase, *cases, seconds=2):
    rows = "".join(f'<testcase classname="m" name="{name}" time="{time}">{inside}</testcase>'
                   for name, time, inside in cases)
    (folder / f"{phase}.xml").write_text(f'<testsuites><testsuite time="{seconds}">{rows}</testsuite></testsuites>')


def test_report_adds_up_and_fails_where_it_must(tmp_path):
    from report import report

    junit(tmp_path, "unit", ("a", 1.5, ""), ("b", 0.5, '<skipped message="no GPU"/>'))
    lines, well = report(tmp_path, ["unit"])
    assert well and "1 passed, 1 skipped in 2s" in lines[-1]
    assert any("skipped 1: no GPU" in line for line in lines)
    assert not report(tmp_path, ["unit", "browser"])[1]  # left nothing behind
    junit(tmp_path, "empty")
    assert not report(tmp_path, ["empty"])[1]
    junit(tmp_path, "nbval", ("c", 3, "<failure/>"), seconds=3)
    lines, well = report(tmp_path, ["unit", "nbval"])
    assert not well and "1 failed, 1 passed, 1 skipped in 5s" in lines[-1]
    assert "longer than" not in "".join(lines)
    junit(tmp_path, "nbval", ("c", 3, ""), seconds=1499)
    lines, well = report(tmp_path, ["unit", "nbval"])
    assert well and "longer than the 25 minutes" in "".join(lines) and "in 1501s" in lines[-1]
