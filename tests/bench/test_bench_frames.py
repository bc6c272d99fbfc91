"""The benchmark of frames runs; what is promised holds for its stored results, taken in headless Chromium."""

import json
import subprocess
import sys

import pytest

pytest.importorskip("torch")  # the machine's description names it
pytest.importorskip("anywidget")

from tests.bench import frames as bench  # noqa: E402


def test_the_microscope_draws_60_frames_a_second_as_stored():
    """95 of 100 drawings end within 16.7 ms; layout and painting, by software here, are stored but not promised."""
    rows = {row["task"]: row for row in json.loads((bench.HERE / "frames.json").read_text())["microscope"]["rows"]}
    assert set(rows) == set(bench.tasks())
    for task in rows:
        assert rows[task]["frames"] > 50
        assert 0 < rows[task]["drawing"] < bench.FRAME
        assert rows[task]["drawing"] == min(drawing for drawing, _ in rows[task]["rounds"])
        assert rows[task]["drawing"] < rows[task]["whole"]


def test_a_run_writes_what_it_found(tmp_path):
    """In a process of its own: Playwright, which other tests use, serves one caller in each.

    Of the times it asks only that there are some: on a busy machine one slow frame of twelve decides either figure.
    """
    pytest.importorskip("playwright.sync_api")
    if bench.find_chromium() is None:
        pytest.skip("no Chromium was found on the PATH")
    program = f"from tests.bench import frames; frames.main(out={str(tmp_path)!r}, moves=12, rounds=1)"
    subprocess.run([sys.executable, "-c", program], cwd=bench.HERE.parents[1], check=True, timeout=120)
    text = (tmp_path / "frames.json").read_text()
    rows = json.loads(text)["microscope"]["rows"]
    assert [row["task"] for row in rows] == list(bench.tasks())
    assert all(row["drawing"] > 0 and row["whole"] > 0 and row["frames"] > 1 for row in rows)
    assert str(tmp_path) not in text and "| a grid of 6×6 under the pointer |" in (tmp_path / "frames.md").read_text()


def test_without_a_browser_nothing_is_written(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(bench, "find_chromium", lambda: None)
    bench.main(out=tmp_path)
    assert "no Chromium was found" in capsys.readouterr().err and not list(tmp_path.iterdir())
