"""What differences can judge of a gradient: kinks are told from bends, and what rounding hides is said.

The slopes to the right and to the left of a place differ by

    jump(eps) = (f(x + eps) - 2 f(x) + f(x - eps)) / eps

which falls with eps where f is smooth, also where its slope is 0; at a kink it stays as it is; of rounding alone it
grows with 1 / eps.
"""

from dataclasses import dataclass

import numpy as np

from cnnlib.gradcheck._differences import look_at, step_at

FINER = (1, 1 / 8, 1 / 64)  # the steps that tell a kink from a bend, times eps
STAYS = 0.3, 3.0  # a kink's jump at a finer step, relative to that at eps: 1, or a little less where a bend helps
ROUGH = 2e4  # times that: a function rougher than this does not compute in float64, which excuses nothing
VOID = 1e13  # times that: the function's value is itself nothing but the rounding of 0
CLEAR = 1e3  # a gradient this many times above the rounding is judged, one as far below counts as 0


@dataclass(frozen=True)
class Judged:
    """What is known of one argument's entries; `outside`, `unjudged` and `blind` are the report's."""

    errors: np.ndarray  # 0 at kinks
    measured: np.ndarray
    at_kink: np.ndarray
    outside: int
    unjudged: str
    blind: float


def judge(fn, args, k, weights, middle, computed, eps, tolerance):
    """Compare one argument's gradient with the differences; look closer where they differ, or where slopes jump."""
    measured, jumps, noises = (np.empty(computed.shape) for _ in range(3))
    for i in np.ndindex(computed.shape):
        look = look_at(fn, args, k, i, weights, middle, step_at(args[k][i], eps))
        measured[i], jumps[i], noises[i] = look.slope, look.jump, look.noise
    scale = max(np.abs(a[np.isfinite(a)]).max(initial=0) for a in (measured, computed))
    noise = seen = noises[np.isfinite(noises)].max(initial=0)
    limit = max(tolerance * scale, noise)
    at_kink, outside = np.zeros(computed.shape, bool), 0
    for i in where(~(np.abs(computed - measured) <= limit) | ~(jumps <= limit)):
        looks = [look_at(fn, args, k, i, weights, middle, part * step_at(args[k][i], eps)) for part in FINER]
        if np.isfinite(computed[i]) and jumps[i] > limit and _is_kink(looks):
            at_kink[i] = True
            outside += int(abs(computed[i] - looks[-1].slope) > 0.51 * looks[-1].jump + limit)
        else:
            measured[i] = min(_slopes(looks, limit), key=lambda slope: abs(slope - computed[i]))
            seen = max(seen, 4 * FINER[-1] * looks[-1].jump)  # where fn is smooth, so fine a step shows rounding alone
    noise = seen if seen > VOID * noise else min(seen, ROUGH * noise)
    apart = np.abs(computed - measured)
    errors = apart / max(scale, noise / tolerance, 1e-300)
    errors = np.where(at_kink, 0, np.where(np.isnan(errors), np.inf, errors))
    blind = noise if ((apart > tolerance * scale) & (apart <= noise) & ~at_kink).any() else 0.0
    unjudged = ""
    if at_kink.any() and max(np.abs(a[~at_kink]).max(initial=0) for a in (measured, computed)) <= noise:
        unjudged = "has no gradient but at kinks: check at another point, with small random numbers added"
    elif blind and noise / CLEAR < np.abs(computed).max() < noise * CLEAR:
        unjudged = f"has a gradient of {np.abs(computed).max():.0e}, too small beside the rounding: try a larger `eps`"
    return Judged(errors, measured, at_kink, outside, unjudged, float(blind))


def _is_kink(looks):
    """Say whether the slopes to the right and to the left are as far apart at finer steps."""
    least, most = STAYS
    first, *finer = looks
    return all(least * first.jump <= look.jump <= most * first.jump for look in finer)


def _slopes(looks, limit):
    """Yield the slopes that the steps measure at an entry that is not at a kink."""
    first, finer, finest = looks
    yield first.slope
    ratio = (FINER[0] / FINER[1]) ** 2
    yield (ratio * finer.slope - first.slope) / (ratio - 1)  # without the curvature's part, which grows with the square
    if first.jump > limit:  # a kink nearby: a finer step stays on this side of it
        yield from (finer.slope, finest.slope)


def where(mask):
    return [index for index in np.ndindex(mask.shape) if mask[index]]
