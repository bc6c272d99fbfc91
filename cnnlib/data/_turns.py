"""Processes that want the same file take turns, so that a class of thirty downloads it once."""

import contextlib
import os
import time

PATIENCE = 30  # seconds without a sign of life from the process whose turn it is
EVERY = 0.05  # seconds between two looks


@contextlib.contextmanager
def turn(target):
    """Wait until it is this process's turn to fetch `target`, or until another has put it in place.

    Yields a function that the fetching process calls now and then as its sign of life.

    The turn is a courtesy and nothing depends on it: each process writes a file of its own and puts it in place in
    one step. So whoever waits for a process that hangs stops waiting, and where the file system knows no locks
    nobody waits. The system takes a lock back from a process that is killed.
    """
    before = _stamp(target)
    try:
        lock = open(target.with_name(".lock"), "ab")  # closed below
    except OSError:
        yield lambda: None
        return
    with lock:
        seen, since = None, time.monotonic()
        while not _is_locked(lock):
            sign = os.fstat(lock.fileno()).st_mtime_ns
            if sign != seen:
                seen, since = sign, time.monotonic()
            if _stamp(target) != before:
                break
            if time.monotonic() - since > PATIENCE:
                _touch(lock)  # so that the others go on waiting, now for this process
                break
            time.sleep(EVERY)
        yield lambda: _touch(lock)


def _is_locked(lock):
    """Whether this process has the lock now, or the file system has none to give."""
    try:
        import fcntl
    except ImportError:
        return _is_locked_on_windows(lock)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return True
    return True


def _is_locked_on_windows(lock):
    try:
        import msvcrt
    except ImportError:  # neither: a browser, where there is one process
        return True
    try:
        lock.seek(0)
        msvcrt.locking(lock.fileno(), msvcrt.LK_NBLCK, 1)
    except PermissionError:
        return False
    except OSError:
        return True
    return True


def _stamp(path):
    """What changes when a file is put in place: None while there is none."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_ino, found.st_size, found.st_mtime_ns


def _touch(lock):
    with contextlib.suppress(OSError):
        os.utime(lock.fileno() if os.utime in os.supports_fd else lock.name)
