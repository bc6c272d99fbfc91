"""Extra memory: at most three times all arguments and results, plus 32 MiB, on every benchmark shape."""

import tracemalloc

import numpy as np
import pytest

from cnnlib import _threads as threads
from cnnlib._array import batch_innermost
from cnnlib.conv import _tiles
from cnnlib.conv._problem import make_problem

conv_bench = pytest.importorskip("tests.bench.conv", reason="needs the repository's root on the path")

SHAPES = {**conv_bench.SHAPES,
          "deep": ((1, 512, 14, 14), (512, 512, 3, 3), 1, 1), "many weights": ((1, 512, 7, 7), (512, 512, 5, 5), 1, 0),
          "large kernel": ((2, 16, 40, 40), (16, 16, 31, 31), 1, 15),
          "flat": ((2048, 16, 1, 32), (16, 16, 1, 5), 1, 0),
          "few windows": ((8, 512, 7, 7), (512, 512, 3, 3), 1, 1),
          "one window": ((64, 256, 7, 7), (512, 256, 7, 7), 1, 0),
          "depthwise": ((9, 64, 28, 28), (64, 1, 3, 3), 1, 1, 1, 64)}


@pytest.mark.parametrize("name", SHAPES)
@pytest.mark.parametrize("exact", [False, True])
@pytest.mark.parametrize("turned", [False, True])
def test_extra_memory_is_bounded(name, exact, turned):
    problem = make_problem(*SHAPES[name])
    x, weight, grad = (np.ones(s, np.float32) for s in (problem.x_shape, problem.weight_shape, problem.out_shape))
    if turned:
        x, grad = batch_innermost(x), batch_innermost(grad)
    for function, arguments in ((_tiles.forward, (x, weight)), (_tiles.backward_x, (grad, weight)),
                                (_tiles.backward_weight, (grad, x)), (_tiles.backward, (grad, x, weight))):
        vars(threads._local).clear()  # what this thread kept from before would not be seen
        tracemalloc.start()
        results = function(*arguments, problem, exact=exact)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        results = results if isinstance(results, tuple) else (results,)
        out = sum(a.nbytes for a in results)
        helper = threads.SCRATCH_LIMIT  # what the second thread may have kept from before
        extra, limit = peak - out + helper, 3 * (sum(a.nbytes for a in arguments) + out) + 32 * 2**20
        assert extra <= limit, f"{function}: {extra / 2**20:.1f} MiB above {limit / 2**20:.1f}"
