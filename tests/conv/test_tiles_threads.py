"""Threads: the same bits for one and two, BLAS left as it was, errors passed on, forks and callers kept apart."""

import os
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import threadpoolctl
from conv.tiles_cases import IDEAS, computed, draw_arrays

from cnnlib import _threads as threads
from cnnlib._array import batch_innermost
from cnnlib.conv import _tiles
from cnnlib.conv._problem import make_problem
from cnnlib.layers import MaxPool2d


def blas_threads():
    return [lib["num_threads"] for lib in threadpoolctl.threadpool_info() if lib["user_api"] == "blas"]


@pytest.fixture(autouse=True)
def every_blas_is_known(monkeypatch):
    """SciPy, imported by another test, brings a BLAS of its own, which was not there when ours was looked for."""
    monkeypatch.setattr(threads._blas, "controller", None)


@pytest.fixture
def count(monkeypatch):
    """Return a function that sets the number of threads."""
    return lambda n: monkeypatch.setattr(threads, "thread_count", lambda: n)


LARGER = {"cifar": ((6, 32, 20, 20), (32, 32, 3, 3), 1, 1), "strided": ((3, 16, 60, 60), (32, 16, 5, 5), 2, 2),
          "1x1": ((3, 64, 40, 40), (32, 64, 1, 1), 1, 0), "strips": ((3, 32, 40, 40), (32, 32, 5, 5), 1, 0),
          "innermost": ((40, 6, 30, 30), (16, 6, 5, 5), 1, 0), "whole": ((2, 256, 6, 6), (257, 256, 3, 3), 1, 1)}


@pytest.mark.parametrize("name", LARGER)
@pytest.mark.parametrize("exact", [False, True])
@pytest.mark.parametrize("turned", [False, True])
def test_one_and_two_threads_agree_to_the_last_bit(name, exact, turned, count, rng):
    problem = make_problem(*LARGER[name])
    x, weight, grad = draw_arrays(rng, problem)
    if turned:
        x, grad = batch_innermost(x), batch_innermost(grad)
    count(1)
    alone = computed(x, weight, grad, problem, exact)
    count(2)
    for _ in range(2):
        for one, two in zip(alone, computed(x, weight, grad, problem, exact)):
            np.testing.assert_array_equal(one, two)


def test_every_job_is_done_once_and_by_two_threads(count):
    count(2)
    barrier, done = threading.Barrier(2, timeout=20), []

    def work(job):
        if job < 2:
            barrier.wait()  # passes only if two threads are at work
        done.append((job, threading.get_ident()))

    threads.run_all(work, range(20))
    assert sorted(job for job, _ in done) == list(range(20))
    assert len({thread for _, thread in done}) == 2


@pytest.mark.parametrize("who", ["caller", "helper"])
def test_an_exception_in_either_thread_reaches_the_caller(who, count):
    count(2)
    caller, barrier = threading.get_ident(), threading.Barrier(2, timeout=20)

    def work(job):
        if job < 2:
            barrier.wait()
        if (threading.get_ident() == caller) == (who == "caller"):
            raise ValueError(f"job failed in the {who}")

    before = blas_threads()
    with pytest.raises(ValueError, match=f"job failed in the {who}"):
        threads.run_all(work, range(10))
    assert blas_threads() == before
    threads.run_all(lambda job: None, range(4))  # the helper still works


def test_blas_is_held_to_one_thread_inside_and_left_as_it_was(count):
    count(2)
    seen = []
    with threadpoolctl.threadpool_limits(2, "blas"):
        with threads.one_blas_thread():
            threads.run_all(lambda job: seen.append(blas_threads()), range(4))
            seen.append(blas_threads())
        assert all(n == 1 for found in seen for n in found) and len(seen) == 5
        assert blas_threads() == [2] * len(blas_threads())


def test_jobs_that_multiply_nothing_leave_blas_alone(count, rng, monkeypatch):
    """Max pooling among them: telling BLAS twice takes as long as a small pooling."""
    count(2)
    pool, x = MaxPool2d(2), rng.standard_normal((2, 3, 8, 8)).astype(np.float32)
    plain = pool(x), pool.backward(np.ones((2, 3, 4, 4), np.float32))
    with threadpoolctl.threadpool_limits(2, "blas"):
        seen = []
        threads.run_all(lambda job: seen.append(blas_threads()), range(4), multiply=False)
        assert len(seen) == 4 and all(n == 2 for found in seen for n in found)
    monkeypatch.setattr(threads._blas, "enter", lambda: pytest.fail("BLAS was told"))
    for one, other in zip(plain, (pool(x), pool.backward(np.ones((2, 3, 4, 4), np.float32)))):
        np.testing.assert_array_equal(one, other)


def test_overlapping_users_of_the_limit_leave_it_as_it_was():
    with threadpoolctl.threadpool_limits(2, "blas"):
        first, second = threads.one_blas_thread(), threads.one_blas_thread()
        first.__enter__()
        second.__enter__()
        first.__exit__(None, None, None)  # the first to come is not the last to go
        assert blas_threads() == [1] * len(blas_threads())
        second.__exit__(None, None, None)
        assert blas_threads() == [2] * len(blas_threads())


def test_concurrent_callers_get_their_own_results(count, rng):
    count(2)
    before = blas_threads()
    problems = [make_problem(*IDEAS[name][:4]) for name in IDEAS]
    arrays = [draw_arrays(rng, problem) for problem in problems]
    alone = [computed(*some, problem) for some, problem in zip(arrays, problems)]
    with ThreadPoolExecutor(4) as pool:
        futures = [pool.submit(computed, *arrays[k % len(IDEAS)], problems[k % len(IDEAS)]) for k in range(40)]
        for k, future in enumerate(futures):
            for one, other in zip(future.result(timeout=60), alone[k % len(IDEAS)]):
                np.testing.assert_array_equal(one, other)
    assert blas_threads() == before


def test_the_number_of_threads(monkeypatch):
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(8)), raising=False)
    for wanted, number in (("", 2), ("1", 1), ("2", 2), ("7", 2), ("1,4", 1), ("many", 2), ("0", 2)):
        monkeypatch.setenv("OMP_NUM_THREADS", wanted)
        assert threads.thread_count() == number, wanted
    monkeypatch.delenv("OMP_NUM_THREADS")
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0}, raising=False)
    assert threads.thread_count() == 1
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1}, raising=False)
    assert threads.thread_count() == 2
    monkeypatch.setattr(sys, "platform", "emscripten")
    assert threads.thread_count() == 1


FORKED = """
import os
import numpy as np
from cnnlib.conv import _tiles
from cnnlib.conv._problem import make_problem
from cnnlib import _threads as threads

problem = make_problem((8, 32, 20, 20), (32, 32, 3, 3), 1, 1)
x, w = np.ones(problem.x_shape, np.float32), np.ones(problem.weight_shape, np.float32)
threads.thread_count = (lambda count: lambda: min(2, count()) if threads._forked else 2)(threads.thread_count)
before = _tiles.forward(x, w, problem)
assert threads._kept_helper is not None
if os.fork() == 0:
    same = np.array_equal(_tiles.forward(x, w, problem), before)
    os._exit(0 if same and threads.thread_count() == 1 and threads._kept_helper is None else 1)
print(os.waitstatus_to_exitcode(os.wait()[1]))
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
def test_a_forked_worker_uses_one_thread_and_no_pool_of_its_parent():
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", FORKED], capture_output=True, text=True, timeout=60)
    assert done.stdout.strip() == "0", done.stderr


def test_scratch_is_reused_and_bounded():
    first = threads.scratch("test", (10, 10))
    again = threads.scratch("test", (5, 20))
    assert np.shares_memory(first, again) and again.shape == (5, 20)
    big = threads.scratch("test big", (threads.SCRATCH_LIMIT // 4 + 1,))
    assert not np.shares_memory(big, threads.scratch("test big", big.shape))
    kept = vars(threads._local)
    assert sum(a.nbytes for a in kept.values()) <= threads.SCRATCH_LIMIT
    del kept["test"]


def test_arrays_that_are_returned_are_not_scratch(rng):
    for name in IDEAS:
        problem = make_problem(*IDEAS[name][:4])
        arrays = draw_arrays(rng, problem)
        first = computed(*arrays, problem)
        copies = [a.copy() for a in first]
        computed(*(2 * a for a in arrays), problem)
        for a, copy in zip(first, copies):
            np.testing.assert_array_equal(a, copy)
    assert _tiles.exact.forward(*arrays[:2], problem).shape == problem.out_shape
