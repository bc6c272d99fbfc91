"""`python -m cnnlib fetch`: a stick filled on one machine serves another that has no network."""

import subprocess
import sys

import pytest

from cnnlib import data
from cnnlib.recipes import fetch, stamp


def run(*arguments):
    return subprocess.run([sys.executable, "-m", "cnnlib", "fetch", *arguments], capture_output=True, text=True,
                          cwd=stamp.ROOT)


def test_listing():
    listed = run()
    assert (listed.returncode, listed.stderr) == (0, "")
    for name, item in data.registry.items():
        assert f"{name} " in listed.stdout and f"{item.bytes / 1e6:.1f} MB" in listed.stdout
    assert "usage: python -m cnnlib fetch" in listed.stdout


def test_the_command_is_listed():
    listed = subprocess.run([sys.executable, "-m", "cnnlib"], capture_output=True, text=True, cwd=stamp.ROOT)
    assert "\nfetch [NAMES] " in listed.stdout


def test_offline_it_says_what_to_do_and_fails(monkeypatch):
    monkeypatch.setenv("CNNLIB_OFFLINE", "1")
    failed = run("mnist", "cifar10")
    assert (failed.returncode, failed.stderr) == (1, "")
    assert failed.stdout.count("CNNLIB_OFFLINE=1 forbids the network") == 2
    assert failed.stdout.endswith("not fetched: mnist, cifar10\n")


@pytest.mark.parametrize("arguments, words", [
    (["mnits"], "there is no data set 'mnits'; there are mnist, fashion_mnist, cifar10"),
    (["mnist", "--to"], "--to needs a folder"),
    (["--to", "somewhere"], "--to needs the names of data sets, or --all"),
])
def test_wrong_arguments(arguments, words, capsys):
    assert fetch.main(arguments) == 2
    said = capsys.readouterr().out
    assert said.startswith(words) and fetch.USAGE in said


def test_arguments():
    assert fetch.parsed([]) == ([], None)
    assert fetch.parsed(["cifar10", "mnist", "cifar10"]) == (["cifar10", "mnist"], None)
    names, folder = fetch.parsed(["--all", "--to", "stick"])
    assert names == [*data.registry] and str(folder) == "stick"


def test_a_stick_serves_a_machine_without_network(mirror, catalogued, content, tmp_path, monkeypatch, capsys):
    """Filled where one set of two can be had; it says so, holds the other, and tells how it is used."""
    for name in [*data.registry]:
        monkeypatch.delitem(data.registry, name)
    catalogued(content, mirror.serve("/a", content), name="good")
    catalogued(content, mirror.serve("/b", content, mirror.status(404)), name="gone")
    stick = tmp_path / "stick"
    assert fetch.main(["--all", "--to", str(stick)]) == 1
    said = capsys.readouterr().out
    assert f"good: 1 file in {stick / 'good'}" in said and said.endswith("not fetched: gone\n")
    guide = (stick / "README.txt").read_text("utf-8")
    assert "CNNLIB_MIRROR" in guide and "good: a made-up set\n  licence: none needed\n  cite: nobody" in guide
    assert "gone" not in guide
    monkeypatch.setenv("CNNLIB_DATA", str(tmp_path / "elsewhere"))
    monkeypatch.setenv("CNNLIB_OFFLINE", "1")
    monkeypatch.setenv("CNNLIB_MIRROR", str(stick))
    assert fetch.main(["good"]) == 0
    assert capsys.readouterr().out.endswith("everything is here and checked\n")
    assert (tmp_path / "elsewhere" / "good" / "tiny.bin").read_bytes() == content
    assert len(mirror.asked) == 2


def test_a_stick_is_a_folder_of_data_as_it_is(mirror, catalogued, content, tmp_path, monkeypatch):
    catalogued(content, mirror.serve("/a", content))
    fetch.main(["tiny", "--to", str(tmp_path / "stick")])
    monkeypatch.setenv("CNNLIB_OFFLINE", "1")
    monkeypatch.setenv("CNNLIB_DATA", str(tmp_path / "stick"))
    assert data.fetch("tiny") == {"tiny.bin": tmp_path / "stick" / "tiny" / "tiny.bin"}
    [line] = [line for line in fetch.listing().splitlines() if line.startswith("tiny ")]
    assert line.split() == ["tiny", "0.3", "MB", "here", "a", "made-up", "set"]
