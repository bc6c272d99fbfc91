"""The ruler: calls take turns, the fastest turn counts."""

import time

from cnnlib import notebook


def test_turns_and_fastest():
    order, pauses = [], iter((0.2, 0.02, 0.2))

    def slow():
        order.append("slow")
        time.sleep(next(pauses))

    best = notebook.fastest({"slow": slow, "quick": lambda: order.append("quick")}, rounds=3)
    assert order == ["slow", "quick"] * 3
    assert 0.02 <= best["slow"] < 0.2 and best["quick"] < best["slow"]


def test_waits_for_a_gpu(monkeypatch):
    """The clock starts when the device is idle, and stops when it is idle again."""
    log = []
    cuda = type("cuda", (), {"synchronize": staticmethod(lambda: log.append("wait"))})
    monkeypatch.setattr(notebook, "gpu", lambda: "cuda")
    monkeypatch.setattr(notebook, "_torch", lambda: type("torch", (), {"cuda": cuda}))
    notebook.fastest({"call": lambda: log.append("call")}, rounds=2)
    assert log == ["wait", "call", "wait"] * 2
