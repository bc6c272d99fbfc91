"""Many processes that want the same file in one folder: each gets it, few download it, killed ones do no harm."""

import hashlib
import json
import os
import signal
import subprocess
import sys
import threading
import time

import pytest

from cnnlib import data
from cnnlib.data import _turns

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")

# Forks as many children as asked; each fetches and reports whether the bytes are right. A child's process number is
# part of its address, so that the mirror knows who asks.
CHILDREN = """
import hashlib, json, os, sys
from cnnlib import data
from cnnlib.data import _download, _turns, catalogue
url, sha256, size, count, patience = sys.argv[1], sys.argv[2], *map(int, sys.argv[3:5]), float(sys.argv[5])
_turns.PATIENCE = patience
def child():
    file = catalogue.File("tiny.bin", size, (f"{url}/{os.getpid()}",), sha256)
    catalogue.registry["tiny"] = catalogue.DataSet("tiny", "", "", "", (file,))
    return data.fetch("tiny")["tiny.bin"]
children = []
for _ in range(count):
    if not (number := os.fork()):
        code = 1
        try:
            code = 0 if hashlib.sha256(child().read_bytes()).hexdigest() == sha256 else 2
        finally:
            os._exit(code)
    children.append(number)
print(json.dumps({number: os.waitpid(number, 0)[1] for number in children}), file=sys.stderr)
"""


class Busy:
    """Answers by who asks: the first two are killed in mid-download, the third gets nothing more for a while."""

    def __init__(self, mirror, content, kill=2, hang=1):
        self.mirror, self.content = mirror, content
        self.lock, self.kill, self.hang = threading.Lock(), kill, hang
        self.askers, self.killed = [], []
        self.somebody_has_it = threading.Event()
        mirror.answers = self

    def get(self, path, default):
        number = int(path.removeprefix("/"))
        with self.lock:
            self.askers.append(number)
            rank = len(self.askers)
        return (self.stop if rank <= self.kill + self.hang else self.serve), (rank, number)

    def stop(self, request, who):
        """Half of it, then: kill who asks, or keep silent until another process has all."""
        rank, number = who
        request.begin(200, {"Content-Length": len(self.content)})
        half = len(self.content) // 2
        request.wfile.write(self.content[:half])
        request.wfile.flush()
        time.sleep(0.1)
        if rank <= self.kill:
            self.killed.append(number)
            os.kill(number, signal.SIGKILL)
            return
        # Shorter than the time after which the one that hangs would give up by itself.
        self.held_up = not self.somebody_has_it.wait(8)
        request.wfile.write(self.content[half:])

    def serve(self, request, who):
        self.mirror.without_ranges(request, self.content)
        time.sleep(0.05)
        self.somebody_has_it.set()


def run_children(mirror, content, count, patience):
    """Exit status by process number."""
    command = [sys.executable, "-c", CHILDREN, mirror.url, hashlib.sha256(content).hexdigest(), str(len(content)),
               str(count), str(patience)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True, start_new_session=True,
                          env={**os.environ, "OMP_NUM_THREADS": "1"}) as run:
        try:
            _, said = run.communicate(timeout=30)
        except subprocess.TimeoutExpired:
            os.killpg(run.pid, signal.SIGKILL)  # the children too, which wait for each other
            raise
    assert run.returncode == 0, said
    return {int(number): status for number, status in json.loads(said.splitlines()[-1]).items()}


def test_thirty_two_processes_one_hangs_two_are_killed(mirror, content, kept, half_files):
    busy = Busy(mirror, content)
    ends = run_children(mirror, content, count=32, patience=1)
    assert len(busy.killed) == 2
    assert not busy.held_up  # nobody had to wait for the one that hangs
    assert {number: status for number, status in ends.items() if status} == dict.fromkeys(busy.killed, signal.SIGKILL)
    assert (kept / "tiny" / "tiny.bin").read_bytes() == content
    assert len(half_files(kept)) == 2  # of the two that were killed; an hour later they are cleared away
    # Two killed, one that hangs, one that does it; a few more where those who wait give up in the same moment.
    assert 4 <= len(busy.askers) <= 12


def test_those_who_wait_for_one_that_works_download_nothing(mirror, content, kept, half_files):
    mirror.answers = type("", (), {"get": lambda self, path, default: (mirror.slow(400_000), content)})()
    ends = run_children(mirror, content, count=6, patience=5)
    assert set(ends.values()) == {0}
    assert len(mirror.asked) == 1
    assert half_files(kept) == []


def test_after_a_kill_in_mid_download_the_next_one_succeeds(mirror, catalogued, content, kept, half_files):
    busy = Busy(mirror, content, kill=1, hang=0)
    ends = run_children(mirror, content, count=1, patience=1)
    assert [*ends.values()] == [signal.SIGKILL] and busy.killed == [*ends]
    [half] = half_files(kept)
    assert half.stat().st_size <= len(content) // 2
    assert not (kept / "tiny" / "tiny.bin").exists()
    mirror.answers = {}
    catalogued(content, mirror.serve("/a", content))
    assert data.fetch("tiny")["tiny.bin"].read_bytes() == content


def test_where_there_are_no_locks_nobody_waits(mirror, catalogued, content, monkeypatch):
    import errno
    import fcntl

    def no_locks(*_):
        raise OSError(errno.ENOLCK, "No locks available")

    catalogued(content, mirror.serve("/a", content))
    monkeypatch.setattr(fcntl, "flock", no_locks)
    assert data.fetch("tiny")["tiny.bin"].read_bytes() == content


def test_a_lock_file_that_cannot_be_made_stops_nobody(mirror, catalogued, content, kept):
    catalogued(content, mirror.serve("/a", content))
    (kept / "tiny" / ".lock").mkdir(parents=True)
    assert data.fetch("tiny")["tiny.bin"].read_bytes() == content


def test_waiting_ends_when_the_file_is_there(tmp_path, monkeypatch):
    monkeypatch.setattr(_turns, "_is_locked", lambda lock: False)
    target = tmp_path / "tiny.bin"
    threading.Timer(0.2, lambda: target.write_bytes(b"abc")).start()
    begun = time.monotonic()
    with _turns.turn(target):
        assert target.exists()
    assert 0.1 < time.monotonic() - begun < 5
