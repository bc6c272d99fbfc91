"""Two threads of our own, each with a BLAS that keeps to one.

An operation is cut into jobs that never touch each other's results. Two Python threads take them from one
list (NumPy lets go of the interpreter lock while it copies and multiplies), so the copies run in parallel
too, which BLAS threads alone would leave serial. Who runs a job changes nothing in it: the result is the
same to the last bit for one thread and for two.

BLAS must then keep to one thread, for the whole operation and not call by call: an OpenBLAS worker spins for
some 25 ms after each two-threaded product and would sit on the core that our own second thread needs.
"""

import itertools
import math
import os
import sys
import threading
from contextlib import ContextDecorator, nullcontext

import numpy as np
import threadpoolctl

MAX_THREADS = 2
QUIET = {"over": "ignore", "invalid": "ignore", "under": "ignore"}  # overflow gives infinity, as in torch
SCRATCH_LIMIT = 8 * 2**20  # bytes that one thread keeps from call to call

_lock = threading.Lock()
_kept_helper = None
_forked = False
_local = threading.local()


def thread_count():
    """Return how many threads to use: at most two, and one in a forked worker or a browser's kernel."""
    if _forked or sys.platform == "emscripten":
        return 1
    cpus = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    wanted = os.environ.get("OMP_NUM_THREADS", "").partition(",")[0].strip()
    return max(1, min(MAX_THREADS, cpus, int(wanted) if wanted.isdigit() and int(wanted) else MAX_THREADS))


def run_all(work, jobs, multiply=True):
    """Call ``work(job)`` for each job, on one thread or two, with BLAS on one; return when all are done.

    The first exception that a job raises is raised here, after every thread has stopped. Jobs that do not `multiply`
    matrices leave BLAS alone: to tell it twice takes as long as to add up ten thousand numbers.
    """
    jobs = list(jobs)
    with one_blas_thread() if multiply else nullcontext(), np.errstate(**QUIET):
        if len(jobs) < 2 or thread_count() < 2:
            for job in jobs:
                work(job)
            return
        helper = _helper()
        if helper is None or not helper.free.acquire(blocking=False):  # busy with another caller's jobs
            for job in jobs:
                work(job)
            return
        turn = itertools.count()  # next() on it is atomic: no job is taken twice

        def take_jobs():
            with np.errstate(**QUIET):  # it is each thread's own
                while (i := next(turn)) < len(jobs):
                    work(jobs[i])

        helper.start(take_jobs)
        try:
            take_jobs()
        except BaseException:
            for _ in jobs:  # leave nothing for the helper to begin
                next(turn)
            raise
        finally:
            failure = helper.wait()
        if failure is not None:
            raise failure


class _Helper:
    """One thread that waits for work. Two bare locks wake it and report back: nothing else is as quick."""

    def __init__(self):
        self.free, self._work, self._done = threading.Lock(), threading.Lock(), threading.Lock()
        self._work.acquire()
        self._done.acquire()
        threading.Thread(target=self._serve, name="cnnlib", daemon=True).start()

    def start(self, function):
        """Begin to run `function` there; the caller holds `free`."""
        self.function, self.failure = function, None
        self._work.release()

    def wait(self):
        """Return what the function raised, or None, when it has ended; then the helper is free again."""
        interrupt = None
        while True:
            try:
                self._done.acquire()
                break
            except KeyboardInterrupt as error:  # its job still writes into our arrays
                interrupt = error
        failure, self.function, self.failure = self.failure, None, None
        self.free.release()
        if interrupt is not None:
            raise interrupt
        return failure

    def _serve(self):
        while True:
            self._work.acquire()
            try:
                self.function()
            except BaseException as error:
                self.failure = error
            self._done.release()


def scratch(name, shape):
    """Return an uninitialised float32 array that the same thread gets again under the same name.

    Memory fresh from the system costs a page fault for every 4 KiB; memory used a moment ago is in cache.
    """
    size = math.prod(shape)
    kept = vars(_local)
    flat = kept.get(name)
    if flat is None or flat.size < size:
        kept.pop(name, None)
        flat = np.empty(size, np.float32)
        if flat.nbytes <= SCRATCH_LIMIT:
            while sum(a.nbytes for a in kept.values()) + flat.nbytes > SCRATCH_LIMIT:
                del kept[next(iter(kept))]  # made longest ago
            kept[name] = flat
    return flat[:size].reshape(shape)


class _BlasLimit:
    """How many operations now need BLAS on one thread, and what it was set to before the first came."""

    def __init__(self):
        self.users = 0
        self.controller = None
        self.before = []

    def enter(self):
        if self.users == 0:
            if self.controller is None:  # finding the libraries takes milliseconds: once only
                self.controller = threadpoolctl.ThreadpoolController().select(user_api="blas")
            self.before = [(lib, lib.num_threads) for lib in self.controller.lib_controllers]
            for lib, threads in self.before:
                if threads != 1:
                    lib.set_num_threads(1)
        self.users += 1

    def leave(self):
        self.users -= 1
        if self.users == 0:
            for lib, threads in self.before:
                if threads is not None and threads != 1:
                    lib.set_num_threads(threads)


_blas = _BlasLimit()


class one_blas_thread(ContextDecorator):  # noqa: N801  (used like a function)
    """Hold BLAS to one thread, in a ``with`` or as a decorator.

    Users may overlap, in one thread or several: the last to leave restores what the first one found.
    """

    def __enter__(self):
        with _lock:
            _blas.enter()

    def __exit__(self, *error):
        with _lock:
            _blas.leave()


def _helper():
    """Return the thread that helps the calling one, made when first needed; None while the interpreter shuts down."""
    global _kept_helper
    if sys.is_finalizing():
        return None
    with _lock:
        if _kept_helper is None:
            try:
                _kept_helper = _Helper()
            except RuntimeError:  # no new threads any more
                return None
        return _kept_helper


def _after_fork():
    """In the child: its parent's threads, and whoever held the lock, did not come along."""
    global _lock, _kept_helper, _forked
    _lock, _kept_helper, _forked = threading.Lock(), None, True
    if _blas.users:
        _blas.users = 1
        _blas.leave()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
