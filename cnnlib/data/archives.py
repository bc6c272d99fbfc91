"""Archives (.tar, .tar.gz, .zip) as streams of their files, or unpacked into a folder and never outside it.

An archive is a list of names and contents that somebody else wrote. A name may lead out of the folder, an entry may be
a link or a device, and a few kilobytes may unfold to terabytes. Here, each of these is an error before anything is
written. Contents are copied by this file's own loop, so nothing else of an entry (owner, rights, time) takes effect.
"""

import gzip
import os
import shutil
import tarfile
import uuid
import zipfile
import zlib
from pathlib import Path

CHUNK = 2**20
LARGEST = 2 * 2**30  # bytes unpacked
MOST = 100_000  # entries
_DAMAGED = (tarfile.TarError, zipfile.BadZipFile, gzip.BadGzipFile, zlib.error, EOFError, NotImplementedError)
# Names that Windows takes for a device, in any folder and with any suffix.
_DEVICES = {"con", "prn", "aux", "nul", *(f"{port}{digit}" for port in ("com", "lpt") for digit in "123456789")}


def members(path, max_bytes=LARGEST):
    """Walk through the files of an archive.

    Parameters
    ----------
    path : str or path-like
        A .tar (plain or packed with gzip) or .zip, told apart by their first bytes.
    max_bytes : int
        The most that all files together may hold when unpacked.

    Yields
    ------
    name : str
        With forward slashes, relative, without ``..``: safe to join to a folder.
    stream
        Its ``read(size)`` gives the content; it is valid until the next file is asked for.

    Raises
    ------
    ValueError
        The archive is damaged or larger than `max_bytes`, or one of its entries is a link, a device, twice there, or
        named so that it would lie outside the folder.
    """
    with open(path, "rb") as file:
        walk = _zip_entries if file.read(4) in (b"PK\x03\x04", b"PK\x05\x06") else _tar_entries
    budget = _Budget(path, max_bytes)
    try:
        for written, is_folder, fault, size, opened in walk(path, budget):
            name = "/".join(part for part in written.rstrip("/").split("/") if part != ".")
            fault = fault or _name_fault(name, is_folder)
            if fault:
                raise ValueError(f"{path}: the entry {written!r} {fault}; nothing of this archive is to be trusted")
            budget.count(name, is_folder, size)
            if not is_folder:
                with opened() as stream:
                    yield name, budget.counted(stream)
    except _DAMAGED as error:
        raise _damaged(path, error) from error


def unpack(path, folder, max_bytes=LARGEST):
    """Unpack an archive into a new folder: all of it or, if anything is wrong, nothing.

    Parameters
    ----------
    path : str or path-like
        A .tar, .tar.gz or .zip.
    folder : str or path-like
        It must not be there yet. It appears under this name once everything is in it.
    max_bytes : int
        The most that all files together may hold when unpacked.

    Returns
    -------
    list of str
        The files' names, relative to `folder`.

    Raises
    ------
    ValueError
        As for :func:`members`.
    FileExistsError
        `folder` is there already.
    """
    folder = Path(folder)
    if folder.exists():
        raise FileExistsError(f"{folder} is there already: unpack into a new folder")
    folder.parent.mkdir(parents=True, exist_ok=True)
    half = folder.with_name(f".{folder.name}.{uuid.uuid4().hex}.part")
    half.mkdir()
    try:
        names = []
        for name, stream in members(path, max_bytes):
            target = half / name
            target.parent.mkdir(parents=True, exist_ok=True)
            with open(target, "xb") as file:
                while chunk := stream.read(CHUNK):
                    file.write(chunk)
            names.append(name)
        os.rename(half, folder)
        return names
    finally:
        shutil.rmtree(half, ignore_errors=True)


def _tar_entries(path, budget):
    """Each entry as (name, is a folder, fault or "", size, how to open it). Read as a stream, never by seeking."""
    with open(path, "rb") as raw:
        packed = raw.read(2) == b"\x1f\x8b"
        raw.seek(0)
        # The reading itself is bounded too: a header can promise gigabytes of name as well as of content.
        source = budget.whole(gzip.GzipFile(fileobj=raw) if packed else raw)
        with tarfile.open(fileobj=source, mode="r|") as archive:
            for entry in archive:
                fault = "" if entry.isfile() or entry.isdir() else "is a link, a device or another special entry"
                yield entry.name, entry.isdir(), fault, entry.size, lambda entry=entry: archive.extractfile(entry)
        while source.read(CHUNK):  # to the end, where gzip keeps its checksum
            pass


def _zip_entries(path, budget):
    """As :func:`_tar_entries`. A zip marks a link by the file type in the upper half of its attributes."""
    with zipfile.ZipFile(path) as archive:
        for entry in archive.infolist():
            kind = entry.external_attr >> 28  # 4 a folder, 8 a file, 0 not said (packed on Windows)
            fault = "" if kind in (0, 4, 8) else "is a link, a device or another special entry"
            if entry.flag_bits & 1:
                fault = "is encrypted"
            yield entry.filename, entry.is_dir(), fault, entry.file_size, lambda entry=entry: archive.open(entry)


def _damaged(path, error):
    return ValueError(f"{path} is damaged, or no .tar, .tar.gz or .zip: {error}")


def _name_fault(name, is_folder):
    """What makes a name unsafe on any system, or an empty text."""
    parts = name.split("/")
    if ".." in parts or name.startswith("/") or "\\" in name or ":" in name:
        return "would lie outside the folder"
    if ("" in parts and not (is_folder and not name)) or any(ord(letter) < 32 for letter in name) or len(name) > 1000:
        return "has no proper name"
    if any(part.split(".")[0].lower() in _DEVICES for part in parts):
        return "is named like a device"
    return ""


class _Budget:
    """Counts an archive's entries and bytes, as promised and as delivered, and stops at the limit."""

    def __init__(self, path, max_bytes):
        self.path, self.max_bytes = path, max_bytes
        self.names = set()
        self.promised = self.delivered = self.passed = 0

    def count(self, name, is_folder, size):
        """Take note of an entry before it is opened."""
        key = name.casefold()  # many file systems take "A" and "a" for one name
        if key in self.names and not is_folder:
            raise ValueError(f"{self.path}: the entry {name!r} is there twice")
        self.names.add(key)
        self.promised += size
        if self.promised > self.max_bytes or len(self.names) > MOST:
            self._stop()

    def counted(self, stream):
        """A stream whose bytes are delivered content."""
        return _Bounded(stream, self.path, self._deliver)

    def whole(self, stream):
        """A stream of the archive itself: its contents and, beside them, at most 2 KiB an entry."""
        return _Bounded(stream, self.path, self._pass)

    def _deliver(self, size):
        self.delivered += size
        if self.delivered > self.max_bytes:
            self._stop()

    def _pass(self, size):
        self.passed += size
        if self.passed > self.max_bytes + 2048 * MOST:
            self._stop()

    def _stop(self):
        raise ValueError(f"{self.path}: it unpacks to more than {self.max_bytes} bytes or {MOST} entries")


class _Bounded:
    """A stream that is read forward only, and reports the size of each piece before it hands anything on."""

    def __init__(self, stream, path, report):
        self.stream, self.path, self.report = stream, path, report

    def read(self, size):
        pieces = []
        try:
            while size > 0 and (piece := self.stream.read(min(size, CHUNK))):
                self.report(len(piece))
                pieces.append(piece)
                size -= len(piece)
        except _DAMAGED as error:
            raise _damaged(self.path, error) from error
        return b"".join(pieces)
