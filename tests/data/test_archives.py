"""An archive unpacks into its folder or, if anything about it is wrong, not at all."""

import gzip
import io
import stat
import tarfile
import zipfile

import pytest

from cnnlib import data
from cnnlib.data import archives

GOOD = {"a.txt": b"alpha", "sub/b.bin": bytes(range(256)) * 10, "sub/deep/c": b""}


def tar_of(path, entries, mode="w:gz"):
    """A tar of (TarInfo or name, content)."""
    with tarfile.open(path, mode) as archive:
        for entry, content in entries:
            if isinstance(entry, str):
                entry = tarfile.TarInfo(entry)
            if entry.isfile():
                entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return path


def zip_of(path, entries):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for entry, content in entries:
            archive.writestr(entry, content)
    return path


MAKERS = {"tar.gz": tar_of, "tar": lambda path, entries: tar_of(path, entries, "w"), "zip": zip_of}


def special(kind, name="x", target="a.txt"):
    entry = tarfile.TarInfo(name)
    entry.type, entry.linkname = kind, target
    return entry


def zip_special(kind):
    entry = zipfile.ZipInfo("x")
    entry.create_system, entry.external_attr = 3, (kind | 0o777) << 16
    return entry


@pytest.fixture(autouse=True)
def nothing_outside(tmp_path):
    """After each test, only the archive, and perhaps the folder, lie where they were made."""
    yield
    assert {path.name for path in tmp_path.iterdir()} <= {"archive", "out"}


@pytest.mark.parametrize("kind", MAKERS)
def test_unpack(tmp_path, kind):
    path = MAKERS[kind](tmp_path / "archive", GOOD.items())
    assert data.unpack(path, tmp_path / "out") == [*GOOD]
    found = {file.relative_to(tmp_path / "out").as_posix(): file.read_bytes()
             for file in (tmp_path / "out").rglob("*") if file.is_file()}
    assert found == GOOD


@pytest.mark.parametrize("kind", MAKERS)
def test_members(tmp_path, kind):
    path = MAKERS[kind](tmp_path / "archive", GOOD.items())
    assert {name: stream.read(10**6) for name, stream in archives.members(path)} == GOOD
    assert [name for name, _ in archives.members(path)] == [*GOOD]  # unread ones are passed over


def test_a_long_read_gives_all_of_it(tmp_path):
    content = bytes(range(251)) * 20_000  # five chunks
    path = tar_of(tmp_path / "archive", [("long", content)])
    assert [stream.read(10**8) for _, stream in archives.members(path)] == [content]


def test_folders_and_dots_are_fine(tmp_path):
    folder = tarfile.TarInfo("./sub/")
    folder.type = tarfile.DIRTYPE
    root = tarfile.TarInfo("./")
    root.type = tarfile.DIRTYPE
    path = tar_of(tmp_path / "archive", [(root, b""), (folder, b""), ("./sub/a", b"1")])
    assert data.unpack(path, tmp_path / "out") == ["sub/a"]


@pytest.mark.parametrize("kind", MAKERS)
@pytest.mark.parametrize("name, words", [
    ("../x", "would lie outside the folder"), ("sub/../../x", "would lie outside"), ("/x", "would lie outside"),
    ("C:/x", "would lie outside"), ("..\\x", "would lie outside"), ("sub/..", "would lie outside"),
    ("sub//x", "has no proper name"), ("a\x01b", "has no proper name"), ("nul.txt", "is named like a device"),
    ("sub/COM1", "is named like a device"), ("long" * 300, "has no proper name"),
])
def test_names_that_lead_elsewhere(tmp_path, kind, name, words):
    path = MAKERS[kind](tmp_path / "archive", [*GOOD.items(), (name, b"evil")])
    with pytest.raises(ValueError, match=f"archive: the entry '.*' {words}.*; nothing of this archive is to be"):
        data.unpack(path, tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE])
def test_links_and_devices_in_a_tar(tmp_path, kind):
    path = tar_of(tmp_path / "archive", [*GOOD.items(), (special(kind), b"")])
    with pytest.raises(ValueError, match="the entry 'x' is a link, a device or another special entry"):
        data.unpack(path, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_file_behind_a_link(tmp_path):
    path = tar_of(tmp_path / "archive", [(special(tarfile.SYMTYPE, "sub", ".."), b""), ("sub/x", b"evil")])
    with pytest.raises(ValueError, match="the entry 'sub' is a link"):
        data.unpack(path, tmp_path / "out")


@pytest.mark.parametrize("kind", [stat.S_IFLNK, stat.S_IFCHR, stat.S_IFBLK, stat.S_IFIFO, stat.S_IFSOCK])
def test_links_and_devices_in_a_zip(tmp_path, kind):
    path = zip_of(tmp_path / "archive", [*GOOD.items(), (zip_special(kind), "../a.txt")])
    with pytest.raises(ValueError, match="the entry 'x' is a link, a device or another special entry"):
        data.unpack(path, tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("kind", MAKERS)
@pytest.mark.parametrize("first, second", [("x", "X"), ("x", "./x"), ("straße", "STRASSE")])
def test_one_name_twice(tmp_path, kind, first, second):
    path = MAKERS[kind](tmp_path / "archive", [(first, b"1"), (second, b"2")])
    with pytest.raises(ValueError, match="is there twice"):
        data.unpack(path, tmp_path / "out")


def test_a_file_in_place_of_a_folder(tmp_path):
    path = tar_of(tmp_path / "archive", [("x", b"1"), ("x/y", b"2")])
    with pytest.raises(OSError, match="x"):
        data.unpack(path, tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("kind", MAKERS)
def test_size_is_bounded(tmp_path, kind):
    path = MAKERS[kind](tmp_path / "archive", [("a", bytes(600)), ("b", bytes(500))])
    assert data.unpack(path, tmp_path / "out", max_bytes=1100) == ["a", "b"]
    with pytest.raises(ValueError, match="unpacks to more than 1099 bytes or 100000 entries"):
        [stream.read(10) for _, stream in archives.members(path, max_bytes=1099)]


def test_a_promise_too_small_does_not_raise_the_limit(tmp_path):
    """A zip whose table promises 10 bytes for an entry of 100,000."""
    path = zip_of(tmp_path / "archive", [("a", bytes(100_000))])
    content = path.read_bytes()
    assert content.count((100_000).to_bytes(4, "little")) == 2
    path.write_bytes(content.replace((100_000).to_bytes(4, "little"), (10).to_bytes(4, "little")))
    with pytest.raises(ValueError, match="damaged|more than 1000 bytes"):
        data.unpack(path, tmp_path / "out", max_bytes=1000)
    assert not (tmp_path / "out").exists()


def test_more_delivered_than_promised_is_stopped(tmp_path):
    budget = archives._Budget(tmp_path / "a", 1000)
    stream = budget.counted(io.BytesIO(bytes(5000)))
    assert len(stream.read(1000)) == 1000
    with pytest.raises(ValueError, match="more than 1000 bytes"):
        stream.read(1)


def test_a_packed_tar_cannot_unfold_beyond_the_limit(tmp_path, monkeypatch):
    """Headers of names count too: here a name of a megabyte that packs to a kilobyte."""
    monkeypatch.setattr(archives, "MOST", 10)
    path = tar_of(tmp_path / "archive", [("n" * 1_000_000, b"")])
    assert path.stat().st_size < 10_000
    with pytest.raises(ValueError, match="more than 100 bytes"):
        list(archives.members(path, max_bytes=100))


def test_number_of_entries_is_bounded(tmp_path, monkeypatch):
    monkeypatch.setattr(archives, "MOST", 3)
    path = tar_of(tmp_path / "archive", [(str(n), b"") for n in range(4)])
    with pytest.raises(ValueError, match="or 3 entries"):
        data.unpack(path, tmp_path / "out")


@pytest.mark.parametrize("damage", [
    lambda c: b"", lambda c: b"not an archive", lambda c: c[:len(c) // 2], lambda c: c[:-8],
    lambda c: c[:60] + b"????" + c[64:], lambda c: gzip.compress(b"text"),
])
def test_damage(tmp_path, damage, rng):
    path = tar_of(tmp_path / "archive", [("a", rng.bytes(20_000)), ("b", rng.bytes(20_000))])
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(ValueError, match="is damaged, or no .tar, .tar.gz or .zip"):
        data.unpack(path, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_damage_in_a_zip(tmp_path, rng):
    path = zip_of(tmp_path / "archive", [("a", rng.bytes(20_000))])
    content = bytearray(path.read_bytes())
    content[5000] ^= 1
    path.write_bytes(content)
    with pytest.raises(ValueError, match="is damaged"):
        data.unpack(path, tmp_path / "out")


def test_an_encrypted_zip(tmp_path):
    path = zip_of(tmp_path / "archive", [("a", b"1")])
    content = bytearray(path.read_bytes())
    content[content.rindex(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(content)
    with pytest.raises(ValueError, match="the entry 'a' is encrypted"):
        data.unpack(path, tmp_path / "out")


def test_a_folder_that_is_there_is_left_alone(tmp_path):
    path = tar_of(tmp_path / "archive", GOOD.items())
    (tmp_path / "out").mkdir()
    with pytest.raises(FileExistsError, match="out is there already: unpack into a new folder"):
        data.unpack(path, tmp_path / "out")
    assert [*(tmp_path / "out").iterdir()] == []


def test_rights_and_owners_take_no_effect(tmp_path):
    entry = tarfile.TarInfo("x")
    entry.mode, entry.uid = 0o4777, 12345
    data.unpack(tar_of(tmp_path / "archive", [(entry, b"1")]), tmp_path / "out")
    found = (tmp_path / "out" / "x").stat()
    assert not found.st_mode & (stat.S_ISUID | stat.S_IXUSR)
    assert found.st_uid != 12345
