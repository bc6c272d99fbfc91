"""Timing several functions side by side, on a machine that may have other things to do."""

import os
import statistics
import time

REST = 0.12  # seconds between sides: idle BLAS and OpenMP threads go on spinning for up to 0.1
SIDE = 0.3  # seconds of calls of one side in one round: the first few, which wake threads and caches, must not count
FOREIGN = 0.1  # cores' worth of other programs' work above which a round is repeated


def measure(sides, rounds, side_seconds=SIDE):
    """Time functions in turn.

    Parameters
    ----------
    sides : dict of name -> function without arguments
    rounds : int
    side_seconds : float

    Returns
    -------
    times : dict of name -> list of seconds, the median call of each round
    foreign : float, in cores
        Work of other programs in the busiest round that was kept. (0 where the system does not tell.)
    """
    calls = {name: _calls(function, side_seconds) for name, function in sides.items()}
    tried = []
    for _ in range(2 * rounds):
        before, began = _foreign_seconds(), time.perf_counter()
        times = {name: _median_call(function, calls[name]) for name, function in sides.items()}
        tried.append(((_foreign_seconds() - before) / (time.perf_counter() - began), times))
        if sum(share < FOREIGN for share, _ in tried) == rounds:
            break
    kept = sorted(tried, key=lambda one: one[0])[:rounds]
    return {name: [times[name] for _, times in kept] for name in sides}, max(share for share, _ in kept)


def ratio(times, ours, theirs):
    """Return the median over the rounds of our time divided by theirs."""
    return statistics.median(a / b for a, b in zip(times[ours], times[theirs]))


def _calls(function, seconds):
    function()
    began = time.perf_counter()
    function()
    return max(1, int(seconds / (time.perf_counter() - began)))


def _median_call(function, calls):
    time.sleep(REST)
    function()
    spent = []
    for _ in range(calls):
        began = time.perf_counter()
        function()
        spent.append(time.perf_counter() - began)
    return statistics.median(spent)


def _foreign_seconds():
    """Return the processor time that all other programs have used so far, in seconds; 0 where it is not known."""
    try:
        with open("/proc/stat") as file:
            user, nice, system, _, _, irq, softirq, steal = (int(n) for n in file.readline().split()[1:9])
    except OSError:
        return 0.0
    busy = (user + nice + system + irq + softirq + steal) / os.sysconf("SC_CLK_TCK")
    own = os.times()
    return busy - own.user - own.system
