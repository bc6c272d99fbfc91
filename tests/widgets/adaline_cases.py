"""Drawn states of the Adaline machine and what Python answers: test_js.py puts them to the JavaScript."""

import numpy as np
from refusals import refused

from cnnlib.widgets import AdalineMachine, _adaline

REFUSED = ({"rate": 0.0}, {"rate": -0.1}, {"rate": 1.5})
RATES = (1 / 17, 0.5 / 17, 0.1, 2 / 17, 0.2, 1.0)


def own_patterns(rng):
    """Up to ten drawn pictures with drawn answers; often of three inputs only, soon more than one unit can do."""
    few, texts = rng.integers(3), {}
    for k in range(16 if few else int(rng.integers(1, 11))):
        picture = rng.choice([-1, 1], (4, 4))
        if few:
            picture[:] = picture[0, [0, 1, 2, 2]]
        texts.setdefault(str(picture), (f"own {k}", (picture, int(rng.choice([-1, 1])))))
    return dict(texts.values())


def case(rng, k, plain):
    weights = np.zeros((4, 4)) if k % 4 == 0 else rng.normal(size=(4, 4)) * rng.choice([0.001, 0.1, 1, 50, 3e5])
    patterns = ("letters", "xor", own_patterns(rng))[k % 3]
    widget = AdalineMachine(
        inputs=rng.choice([-1, 1], (4, 4)), weights=weights, bias=float(rng.choice([0, 0.25, -0.1])),
        target=int(rng.choice([-1, 1])), rate=RATES[rng.integers(6)], rule=("adaline", "perceptron")[k // 3 % 2],
        patterns=patterns, turn=int(rng.integers(4)), predict=bool(k % 11 == 0))
    if k % 5 == 0:  # as a step has left it: nothing turns
        widget.learn(3)
    return answers(widget, plain)


def answers(widget, plain):
    state = {name: getattr(widget, name) for name in widget._opening}
    state |= {name: plain(state[name]) for name in ("inputs", "weights")}
    pattern = widget._code | {"defaults": {name: widget._default(name) for name in widget._opening}}
    pattern["defaults"] |= {name: plain(pattern["defaults"][name]) for name in ("inputs", "weights")}
    found = {"state": state, "problem": widget.problem(), "sentence": widget.sentence(), "code": widget.code(),
             "pattern": pattern, "raw": widget._history, "history": widget.history, "right": [*widget.right().values()],
             "separable": _adaline.separable(tuple(_adaline.texts_of(widget.patterns).values())), "after": None,
             "least": _adaline.least_error(tuple(_adaline.texts_of(widget.patterns).values()))}
    if not found["problem"]:
        after = {}
        for name, learn in (("once", lambda: widget.learn(1)), ("all", lambda: widget.learn_all(2))):
            learn()
            after[name] = {"knobs": plain(widget.knobs), "turn": widget.turn, "history": widget.history}
        found["after"] = after
    return found


def adaline_cases(rng, plain):
    """Return the cases; `plain(array)` writes an array as JSON can hold it."""
    found = [case(rng, k, plain) for k in range(120)]
    return found + refused(AdalineMachine, REFUSED, answers, plain)
