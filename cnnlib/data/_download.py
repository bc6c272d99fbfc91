"""Bring one file here from the first source that really has it; nothing unchecked is ever seen under its name."""

import contextlib
import hashlib
import http.client
import math
import os
import shutil
import time
import uuid

from cnnlib.data import _sources
from cnnlib.data._progress import Bar, megabytes, say

CHUNK = 2**16
WINDOW = 10  # seconds over which a source's speed is judged
SLOW = 100_000  # bytes a second below which another source is tried
CRAWL = 1_000  # bytes a second below which even the last one is given up
TRIES = 4  # times that a source is asked which breaks off half-way
STALE = 3600  # seconds after which the half file of a killed process is cleared away


class CannotWriteError(Exception):
    """The file cannot be stored; the message says where and why."""


class _TooSlowError(Exception):
    """A source sends less than it should; the argument is its speed in bytes a second."""


class _Candidate:
    """A source, and what came of asking it."""

    def __init__(self, source):
        self.source = source
        self.speed = math.inf  # of a source that was left because another might be faster
        self.tries = 0
        self.trouble = ""


def download(file, sources, target, title, alive):
    """Bring a file from one of its sources to `target`.

    Parameters
    ----------
    file : File
    sources : sequence of str
        Paths and addresses, tried in order.
    target : Path
        Where it is to lie, in a folder that can be written to. An older file there is replaced in one step.
    title : str
        What the progress bar and the messages call it.
    alive : function
        Called whenever bytes have come in.

    Returns
    -------
    list of (source, trouble)
        Why each source failed, if all did; empty if the file is in place.

    Raises
    ------
    CannotWriteError
        There is no room, or the file cannot be stored for another reason; nothing is left behind.
    """
    _clear_stale(target)
    free = shutil.disk_usage(target.parent).free
    if free < file.bytes:
        raise CannotWriteError(f"{title} needs {megabytes(file.bytes)}, and only {megabytes(free)} are free in "
                               f"{target.parent}")
    candidates = [_Candidate(source) for source in sources]
    with _Part(target, file) as part:
        found = _gather(part, candidates, Bar(title, file.bytes), alive)
        if found is None:
            return [(candidate.source, candidate.trouble) for candidate in candidates]
        part.put_in_place()
    say(f"{title}: {megabytes(file.bytes)} from {found}")
    return []


def _gather(part, candidates, bar, alive):
    """Fill the part from the candidates until it is whole and right; returns the source that completed it, or None.

    What one source has sent is kept when another goes on. One that breaks off is asked again after the others,
    and so is one that is slow: in the end, slowly is better than not at all, and the fastest comes first.
    """
    queue = list(candidates)
    while queue:
        queue.sort(key=lambda candidate: -candidate.speed)  # stable: those that were not slow keep their order
        candidate = queue.pop(0)
        before, was_slow = part.done, candidate.speed < math.inf
        candidate.trouble = _attempt(candidate, part, bar, alive, SLOW if queue and not was_slow else CRAWL)
        bar.clear()
        if not candidate.trouble:
            return candidate.source
        candidate.tries += 1
        is_slow = candidate.speed < math.inf
        if candidate.tries < TRIES and (is_slow and not was_slow if is_slow else part.done > before):
            queue.append(candidate)
        say(f"{bar.title}: {candidate.source}: {candidate.trouble}" + "; trying on" * bool(queue))
    return None


def _attempt(candidate, part, bar, alive, least):
    """Ask a source for what is missing; returns what went wrong, or nothing if the file is whole and right."""
    alive()
    try:
        first = _take(candidate.source, part, bar, alive, least)
        if first and not part.is_right():  # the pieces do not match: all of it from here
            part.restart()
            _take(candidate.source, part, bar, alive, least)
    except _TooSlowError as error:
        candidate.speed = error.args[0]
        return f"sends only {candidate.speed / 1000:.1f} kB/s"
    except (OSError, http.client.HTTPException) as error:
        return _sources.reason(error)
    if part.is_right():
        return ""
    trouble = f"sends other bytes: their {part.file.checksum[0]} is {part.digits()}, not {part.file.checksum[1]}"
    part.restart()
    return trouble


def _take(source, part, bar, alive, least):
    """Read from a source until the part is whole; returns the byte of the file that the source began with."""
    size = part.file.bytes
    with _sources.opened(source, part.file, part.done) as stream:
        if stream.first != part.done:
            part.restart()
        mark, done_at_mark = time.monotonic(), part.done
        while part.done < size:
            chunk = stream.read(min(CHUNK, size - part.done))
            if not chunk:
                raise OSError(f"breaks off after {part.done:,} of {size:,} bytes")
            part.write(chunk)
            bar.update(part.done)
            alive()
            seconds = time.monotonic() - mark
            if seconds >= WINDOW:
                if (speed := (part.done - done_at_mark) / seconds) < least:
                    raise _TooSlowError(speed)
                mark, done_at_mark = time.monotonic(), part.done
        return stream.first


class _Part:
    """A file while it comes in: under a name of its own, and gone at the end unless it was put in place."""

    def __init__(self, target, file):
        self.target, self.file = target, file
        self.path = target.with_name(f".{target.name}.{uuid.uuid4().hex}.part")

    def __enter__(self):
        with self._storing():
            self.out = open(self.path, "xb")  # closed on leaving
        self.restart()
        return self

    def __exit__(self, *_):
        with contextlib.suppress(OSError):  # a full disk refuses the last bytes again
            self.out.close()
        self.path.unlink(missing_ok=True)

    def restart(self):
        """Forget what has come in."""
        with self._storing():
            self.out.seek(0)
            self.out.truncate()
        self.done, self.hash = 0, hashlib.new(self.file.checksum[0])

    def write(self, chunk):
        with self._storing():
            self.out.write(chunk)
        self.hash.update(chunk)
        self.done += len(chunk)

    def digits(self):
        return self.hash.hexdigest()

    def is_right(self):
        return self.done == self.file.bytes and self.digits() == self.file.checksum[1]

    def put_in_place(self):
        """Give the file its name, in one step, after the disk has really taken it."""
        with self._storing():
            self.out.flush()
            os.fsync(self.out.fileno())
            self.out.close()
            try:
                os.replace(self.path, self.target)
            except PermissionError:  # Windows, while another process reads the same file
                if not self.file.is_at(self.target):
                    raise

    @contextlib.contextmanager
    def _storing(self):
        try:
            yield
        except OSError as error:
            raise CannotWriteError(f"{self.target} ({megabytes(self.file.bytes)}) cannot be written: "
                                   f"{error.strerror or error}") from error


def _clear_stale(target):
    """Delete half files of the same target that nobody has written to for an hour."""
    for path in target.parent.glob(f".{target.name}.*.part"):
        with contextlib.suppress(OSError):
            if time.time() - path.stat().st_mtime > STALE:
                path.unlink()
