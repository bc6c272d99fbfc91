"""What `fetch` finds, keeps and says: damage, settings, folders that cannot be written, no network."""

import os
import socket
import stat
import subprocess
import sys
import tempfile
import time

import pytest

from cnnlib import data
from cnnlib.data import _fetch, _sources, catalogue, folders


def test_unknown_name():
    with pytest.raises(ValueError, match="no data set 'digits' to fetch; there are mnist, fashion_mnist, cifar10"):
        data.fetch("digits")


# ---- what is kept


@pytest.mark.parametrize("damage", [lambda c: c[:-1], lambda c: c[:-1] + b"?", lambda c: b"", lambda c: c + b"?"])
def test_a_damaged_file_is_not_used_and_fetched_again(mirror, catalogued, content, kept, damage, capsys):
    catalogued(content, mirror.serve("/a", content))
    path = kept / "tiny" / "tiny.bin"
    path.parent.mkdir(parents=True)
    path.write_bytes(damage(content))
    assert data.fetch("tiny")["tiny.bin"].read_bytes() == content
    assert f"{path} is damaged: its size or sha256 is not the right one; it is not used" in capsys.readouterr().out


def test_a_file_that_cannot_be_read_is_not_used(mirror, catalogued, content, kept, monkeypatch, capsys):
    def closed(path, mode):
        monkeypatch.delattr(catalogue, "open")
        raise PermissionError(13, "Permission denied")

    catalogued(content, mirror.serve("/a", content))
    path = kept / "tiny" / "tiny.bin"
    path.parent.mkdir(parents=True)
    path.write_bytes(content)
    monkeypatch.setattr(catalogue, "open", closed, raising=False)
    assert data.fetch("tiny") == {"tiny.bin": path}
    assert f"{path} cannot be read (Permission denied); it is not used" in capsys.readouterr().out


def test_damage_without_network_is_an_error(catalogued, content, kept, monkeypatch):
    catalogued(content, "https://127.0.0.1:9/a")
    monkeypatch.setenv("CNNLIB_OFFLINE", "1")
    path = kept / "tiny" / "tiny.bin"
    path.parent.mkdir(parents=True)
    path.write_bytes(content[:-1] + b"?")
    with pytest.raises(data.DownloadError, match="CNNLIB_OFFLINE=1 forbids the network"):
        data.fetch("tiny")


def test_others_of_the_class_can_read_what_one_has_fetched(mirror, catalogued, content):
    catalogued(content, mirror.serve("/a", content))
    before = os.umask(0o022)
    try:
        path = data.fetch("tiny")["tiny.bin"]
    finally:
        os.umask(before)
    assert stat.S_IMODE(path.stat().st_mode) == 0o644


def test_half_files_of_killed_processes_are_cleared_after_an_hour(mirror, catalogued, content, kept, half_files):
    catalogued(content, mirror.serve("/a", content))
    (kept / "tiny").mkdir(parents=True)
    old, young, other = (kept / "tiny" / name for name in (".tiny.bin.1.part", ".tiny.bin.2.part", ".big.bin.3.part"))
    for path in (old, young, other):
        path.write_bytes(b"half")
    for path in (old, other):
        os.utime(path, (time.time() - 3700,) * 2)
    data.fetch("tiny")
    assert sorted(half_files(kept)) == [other, young]


# ---- settings


def test_offline_answers_at_once_and_asks_nobody(catalogued, content, monkeypatch, kept):
    def forbidden(*_, **__):
        raise AssertionError("the network was asked")

    monkeypatch.setattr(socket, "getaddrinfo", forbidden)
    monkeypatch.setattr(socket.socket, "connect", forbidden)
    monkeypatch.setenv("CNNLIB_OFFLINE", "1")
    monkeypatch.setenv("CNNLIB_MIRROR", "http://127.0.0.1:9/")
    catalogued(content, "https://example.org/a", "http://example.org/a")
    begun = time.monotonic()
    with pytest.raises(data.DownloadError) as caught:
        data.fetch("tiny")
    assert time.monotonic() - begun < 1
    assert str(caught.value).splitlines() == [
        f"tiny/tiny.bin is not in {kept / 'tiny'}, and CNNLIB_OFFLINE=1 forbids the network",
        "What to do:",
        "- with network: unset CNNLIB_OFFLINE and run this again (0.3 MB)",
        "- without: on a machine with network, python -m cnnlib fetch tiny --to FOLDER; carry FOLDER here and set "
        'CNNLIB_MIRROR to it, in a notebook by os.environ["CNNLIB_MIRROR"] = "FOLDER"',
        "- right now: data.load_digits(), load_faces(), load_textures() and load_shapes() need no download",
    ]
    assert not kept.exists()


@pytest.mark.parametrize("name", ["mnist", "fashion_mnist", "cifar10", "imagenette"])
def test_offline_loaders_say_what_to_do(name, monkeypatch):
    monkeypatch.setenv("CNNLIB_OFFLINE", "1")
    with pytest.raises(data.DownloadError, match=f"{name}/.* is not in(.|\n)*fetch {name} --to FOLDER"):
        getattr(data, f"load_{name}")()


@pytest.mark.parametrize("value, offline", [("1", True), ("yes", True), ("0", False), ("", False)])
def test_what_counts_as_offline(value, offline, monkeypatch):
    monkeypatch.setenv("CNNLIB_OFFLINE", value)
    assert _fetch.is_offline() is offline


@pytest.mark.parametrize("offline", ["0", "1"])
def test_a_folder_as_mirror_needs_no_network(mirror, catalogued, content, tmp_path, monkeypatch, offline):
    catalogued(content, mirror.serve("/a", content))
    stick = tmp_path / "stick"
    (stick / "tiny").mkdir(parents=True)
    (stick / "tiny" / "tiny.bin").write_bytes(content)
    monkeypatch.setenv("CNNLIB_MIRROR", str(stick))
    monkeypatch.setenv("CNNLIB_OFFLINE", offline)
    path = data.fetch("tiny")["tiny.bin"]
    assert path.read_bytes() == content and not path.is_relative_to(stick)
    assert mirror.asked == []


def test_a_folder_without_the_file_is_passed_over(mirror, catalogued, content, tmp_path, monkeypatch, capsys):
    catalogued(content, mirror.serve("/a", content))
    monkeypatch.setenv("CNNLIB_MIRROR", str(tmp_path / "no stick"))
    assert data.fetch("tiny")["tiny.bin"].read_bytes() == content
    said = capsys.readouterr().out
    assert f"{tmp_path / 'no stick' / 'tiny' / 'tiny.bin'}: there is no such file; trying on" in said


@pytest.mark.parametrize("slash", ["", "/"])
def test_an_address_as_mirror_comes_first(mirror, catalogued, content, monkeypatch, slash):
    mirror.serve("/class/tiny/tiny.bin", content)
    catalogued(content, mirror.serve("/a", content))
    monkeypatch.setenv("CNNLIB_MIRROR", f"{mirror.url}/class{slash}")
    assert data.fetch("tiny")["tiny.bin"].read_bytes() == content
    assert mirror.asked == [("/class/tiny/tiny.bin", None)]


def test_where_data_are_kept(monkeypatch, tmp_path):
    assert folders.places() == [folders.home()] == [tmp_path / "kept"]
    monkeypatch.setenv("CNNLIB_DATA", "~/sets")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    assert folders.home() == tmp_path / "sets"
    monkeypatch.delenv("CNNLIB_DATA")
    assert folders.home() == tmp_path / ".cache" / "cnnlib"
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    assert folders.home() == tmp_path / "cache" / "cnnlib"


def test_a_user_without_home(monkeypatch):
    def homeless():
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.delenv("CNNLIB_DATA")
    monkeypatch.setattr(folders.Path, "home", homeless)
    assert folders.places() == [folders.spare()]


# ---- folders that cannot be written


@pytest.fixture
def sealed_home(tmp_path, monkeypatch):
    """A home in which nothing can be made, even by root: a file stands where the cache should be."""
    monkeypatch.delenv("CNNLIB_DATA")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    (tmp_path / ".cache").write_text("no folder")
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    return tmp_path


def test_a_sealed_home_is_passed_over_and_said(sealed_home, mirror, catalogued, content, capsys):
    catalogued(content, mirror.serve("/a", content))
    path = data.fetch("tiny")["tiny.bin"]
    assert path == folders.spare() / "tiny" / "tiny.bin"
    assert path.is_relative_to(sealed_home / "temporary")
    assert path.read_bytes() == content
    said = capsys.readouterr().out
    assert f"note: nothing can be written into {sealed_home / '.cache' / 'cnnlib' / 'tiny'} (" in said
    assert f"tiny.bin is kept in {folders.spare()}" in said and "CNNLIB_DATA can name a better folder" in said
    assert data.fetch("tiny") == {"tiny.bin": path}  # found again
    assert len(mirror.asked) == 1


@pytest.mark.skipif(not hasattr(os, "getuid"), reason="no owners here")
def test_a_spare_folder_of_somebody_else_is_not_touched(sealed_home, mirror, catalogued, content, monkeypatch):
    catalogued(content, mirror.serve("/a", content))
    folders.spare().mkdir()
    user = os.getuid()
    monkeypatch.setattr(folders.os, "getuid", lambda: user + 1)
    monkeypatch.setattr(folders, "spare", lambda: sealed_home / "temporary" / f"cnnlib-{user}")
    with pytest.raises(data.DownloadError, match="tiny cannot be stored: nothing can be written into"):
        data.fetch("tiny")


def test_a_chosen_folder_that_cannot_be_written_is_an_error(tmp_path, mirror, catalogued, content, monkeypatch):
    catalogued(content, mirror.serve("/a", content))
    (tmp_path / "file").write_text("no folder")
    monkeypatch.setenv("CNNLIB_DATA", str(tmp_path / "file"))
    with pytest.raises(data.DownloadError, match=r"tiny cannot be stored: nothing can be written into .*file.*tiny \(.*"
                                                 r"\)\. Set CNNLIB_DATA to a folder that you may write to"):
        data.fetch("tiny")
    assert mirror.asked == []


READ_ONLY = """
import os, sys
from pathlib import Path
from cnnlib import data
from cnnlib.data import _download, _sources, catalogue, folders  # while this process may still read them
if os.getuid() == 0:
    os.setgid(65534)
    os.setuid(65534)  # nobody, whom file modes bind
content = b"abc"
sha256 = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
def tiny(name):
    catalogue.registry[name] = catalogue.DataSet(name, "", "", "", (catalogue.File(name, 3, (), sha256),))
tiny("here")
print(data.fetch("here")["here"].read_bytes())
tiny("gone")
os.environ["CNNLIB_MIRROR"] = sys.argv[1]
try:
    data.fetch("gone")
except data.DownloadError as error:
    print(error)
"""


@pytest.mark.skipif(not hasattr(os, "setuid"), reason="file modes mean something else here")
def test_a_read_only_folder_serves_what_is_in_it(monkeypatch):
    """As a user whom modes bind, even if the tests run as root."""
    with tempfile.TemporaryDirectory() as base:  # pytest's own folders are closed to other users
        kept, stick = (os.path.join(base, name) for name in ("kept", "stick"))
        for folder, name in ((kept, "here"), (stick, "gone")):
            os.makedirs(os.path.join(folder, name))
            with open(os.path.join(folder, name, name), "wb") as file:
                file.write(b"abc")
        for folder, *_ in os.walk(base, topdown=False):
            os.chmod(folder, 0o555)
        try:
            run = subprocess.run([sys.executable, "-c", READ_ONLY, stick], capture_output=True, text=True, check=True,
                                 env={**os.environ, "CNNLIB_DATA": kept})
        finally:
            for folder, *_ in os.walk(base):
                os.chmod(folder, 0o755)
    first, error = run.stdout.splitlines()
    assert first == "b'abc'"
    assert error.startswith("gone cannot be stored: nothing can be written into") and "(Permission denied)" in error


def test_a_device_in_place_of_a_file_is_not_read(catalogued, content, tmp_path, monkeypatch):
    if not hasattr(os, "mkfifo"):
        pytest.skip("no named pipes here")
    file = catalogued(content)
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(FileNotFoundError, match="no such file"):
        _sources.opened(str(tmp_path / "pipe"), file, 0)
    assert not file.is_at(tmp_path / "pipe")


# ---- to a folder of its own


def test_to_a_folder_takes_this_machines_copy_first(mirror, catalogued, content, kept, tmp_path):
    catalogued(content, mirror.serve("/a", content))
    data.fetch("tiny")
    assert data.fetch("tiny", tmp_path / "stick") == {"tiny.bin": tmp_path / "stick" / "tiny" / "tiny.bin"}
    assert (tmp_path / "stick" / "tiny" / "tiny.bin").read_bytes() == content
    assert len(mirror.asked) == 1
    (kept / "tiny" / "tiny.bin").write_bytes(content[::-1])
    (tmp_path / "stick" / "tiny" / "tiny.bin").unlink()
    data.fetch("tiny", tmp_path / "stick")  # the copy is damaged: on to the mirror
    assert (tmp_path / "stick" / "tiny" / "tiny.bin").read_bytes() == content
    assert len(mirror.asked) == 2
    assert _fetch.is_here("tiny", tmp_path / "stick") and not _fetch.is_here("tiny")
