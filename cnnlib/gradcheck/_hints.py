"""Which known mistake does a wrong gradient look like?"""

import numpy as np


def hint(computed, measured, wrong):
    """Name the mistake that the pattern looks like, if it is a known one."""
    if not np.isfinite(computed).all():
        return "the gradient holds NaN or infinity (0 divided by 0? a logarithm of 0?)"
    if not computed.any():
        return "the gradient is zero everywhere (never written? written into a copy?)"
    clear = np.abs(measured) > 1e-3 * np.abs(measured).max()
    factors = computed[clear] / measured[clear]
    both_near_zero = np.abs(computed[~clear]).max(initial=0) < 2e-3 * np.abs(computed).max()
    if factors.size and np.ptp(factors) < 1e-4 * abs(factors.mean()) and both_near_zero:
        factor = float(factors.mean())
        if abs(factor + 1) < 1e-4:
            return "every entry has the wrong sign"
        if factors.size > 1:  # for one number there always is a factor
            return f"every entry is {factor:.4g} times what it should be (a mean for a sum? a factor forgotten?)"
    for axes, words in _turns(computed.ndim):
        turned = np.flip(computed, axes)
        if np.allclose(turned, measured, rtol=1e-4, atol=1e-6 * np.abs(measured).max()):
            return words
    if computed.ndim == 2 and computed.shape[0] == computed.shape[1] and np.allclose(computed.T, measured, rtol=1e-4):
        return "the gradient is transposed"
    share = wrong.mean()
    if share < 0.5:
        return f"only {100 * share:.0f} % of the entries are wrong: a border, an overlap that should add up, or a tie?"
    return ""


def _turns(ndim):
    if ndim >= 2:
        yield (-2, -1), "right after half a turn of the last two axes (the kernel not turned, or once too often)"
    if ndim:
        yield (-1,), "right when the last axis is reversed"
