"""Max pooling of NumPy arrays in pieces that stay in cache, on two threads.

A tournament: first along the columns of a row, then among the rows' winners. Rows that several windows share are
settled once, and a strided step is taken once for each tap of a row, not of a window. A winner is a small number,
and "keep the larger number" says who wins: the later tap has the larger number and wins only if it is better,

    winners = max(winners, better * tap)

so that nothing is ever copied under a mask, which is slow. Both memory orders are (planes, H, W, inner) here: inner
is 1, or the batch where that lies innermost.
"""

import numpy as np

from cnnlib._array import is_batch_innermost
from cnnlib._threads import run_all, scratch

PIECE_BYTES = 2**22  # of the input, at most: with small ones, passing the interpreter to and fro costs too much
SMALL = 2**21  # bytes of input up to which a second thread does not pay


def takes(x, windows):
    """Whether the functions of this file are for such an array."""
    return (type(x) is np.ndarray and x.dtype in (np.float32, np.float64) and x.dtype.isnative and x.size > 0
            and len(windows.taps) <= 256)


def max_forward(x, windows):
    """Return the maxima and the winners (uint8); None where a NaN may be among them."""
    view, empty = _planes(x)
    out, out_view = empty(windows.out_size, x.dtype)
    winners, winners_view = empty(windows.out_size, np.uint8)
    numbers = []

    def work(piece):
        _max_piece(view[piece], windows, out_view[piece], winners_view[piece])
        numbers.append(not np.isnan(out_view[piece].sum()))

    run_all(work, _pieces(view), multiply=False)
    return (out, winners) if all(numbers) else None


def max_backward(grad_output, x, winners, windows):
    """Return the gradient of x, in x's memory order."""
    view, empty = _planes(x)
    grads, winners = (_view(a, is_batch_innermost(x)) for a in (grad_output, winners))
    grad_x, grad_view = empty(windows.size, x.dtype)
    run_all(lambda piece: _grad_piece(grads[piece], winners[piece], windows, grad_view[piece]), _pieces(view),
            multiply=False)
    return grad_x


def _view(x, innermost):
    """Return x as (planes, H, W, inner): a view, where x lies so."""
    return x.transpose(1, 2, 3, 0) if innermost else np.ascontiguousarray(x).reshape(-1, *x.shape[-2:], 1)


def _planes(x):
    """Return x as (planes, H, W, inner), and a function that makes an array of x's kind together with such a view."""
    outer, innermost = x.shape[:-2], is_batch_innermost(x)

    def empty(size, dtype):
        if innermost:
            planes = np.empty((outer[1], *size, outer[0]), dtype)
            return planes.transpose(3, 0, 1, 2), planes
        array = np.empty((*outer, *size), dtype)
        return array, _view(array, False)

    return _view(x, innermost), empty


def _pieces(view):
    at_once = len(view) if view.nbytes <= SMALL else max(1, min(-(-len(view) // 2), PIECE_BYTES // view[0].nbytes))
    return [slice(k, k + at_once) for k in range(0, len(view), at_once)]


def _max_piece(x, windows, out, winners):
    """Write the maxima and winners of some planes."""
    (kh, kw), (sh, sw), (dh, dw), (oh, ow) = windows.kernel_size, windows.stride, windows.dilation, windows.out_size
    x = _framed(x, windows)
    rows = [slice(p * dh, p * dh + sh * (oh - 1) + 1, sh) for p in range(kh)]
    cols = [slice(q * dw, q * dw + sw * (ow - 1) + 1, sw) for q in range(kw)]
    steps = sw > 1 and x.shape[3] == 1  # they are slow: take each once
    if steps and sh >= (kh - 1) * dh + 1:  # no row is shared: sort by row, too, so that all is one run
        players = [np.stack([x[:, row, col] for row in rows]) for col in cols]
        of_row = list(range(kh))
    else:
        players = [np.ascontiguousarray(x[:, :, col]) if steps else x[:, :, col] for col in cols]
        of_row = [(slice(None), row) for row in rows]
    best, tap = players[0], None
    if kw > 1:
        best, tap = _buffer("pool row", best.shape, x.dtype), np.empty(best.shape, np.uint8)
        _play(players, [np.uint8(q) for q in range(kw)], best, tap)
    numbers = [np.uint8(p * kw) for p in range(kh)]
    if tap is not None:
        numbers = [tap[row] + number if number else tap[row] for row, number in zip(of_row, numbers)]
    _play([best[row] for row in of_row], numbers, out, winners)


def _play(players, numbers, best, winners):
    """Write the largest of the players into `best`, and its number into `winners`. Each number exceeds those before."""
    if len(players) == 1:
        best[...], winners[...] = players[0], numbers[0]
        return
    np.greater(players[1], players[0], out=winners.view(bool))  # 1 where the second is better
    np.maximum(players[0], players[1], out=best)
    if np.ndim(numbers[1]) or numbers != [0, 1]:  # else their numbers stand there already
        np.multiply(winners, numbers[1], out=winners)
        np.maximum(winners, numbers[0], out=winners)
    better = np.empty(best.shape, bool) if players[2:] else None
    for player, number in zip(players[2:], numbers[2:]):
        np.greater(player, best, out=better)
        np.maximum(best, player, out=best)
        np.maximum(winners, better.view(np.uint8) * number, out=winners)


def _framed(x, windows):
    """Return planes with minus infinity around them."""
    if windows.framed_size == windows.size:
        return x
    framed = _buffer("pool frame", (len(x), *windows.framed_size, x.shape[3]), x.dtype)
    framed[...] = -np.inf
    _inside(framed, windows)[...] = x
    return framed


def _inside(framed, windows):
    (top, _), (left, _) = windows.frame
    return framed[:, top:top + windows.size[0], left:left + windows.size[1]]


def _grad_piece(grads, winners, windows, grad_x):
    """Write the gradient of some planes: each tap's share, where it won."""
    apart = all(s >= (k - 1) * d + 1 for s, k, d in zip(windows.stride, windows.kernel_size, windows.dilation))
    whole = windows.framed_size == windows.size
    framed = grad_x if whole else _buffer("pool frame", (len(grads), *windows.framed_size, grads.shape[3]), grads.dtype)
    covered = apart and windows.stride == windows.kernel_size and all(
        k * o == size for k, o, size in zip(windows.kernel_size, windows.out_size, windows.framed_size))
    if not covered:
        framed[...] = 0
    bits = np.dtype(f"i{grads.itemsize}")
    share = None if apart else _buffer("pool row", grads.shape, grads.dtype)
    for k, (p, q) in enumerate(windows.taps):
        _, rows, cols = windows.at(p, q)
        to = framed[:, rows, cols]
        lost = (winners != k).view(np.int8)
        lost -= np.int8(1)  # no bit set where lost, all where won: 0 times infinity would be NaN
        np.bitwise_and(grads.view(bits), lost, out=(to if apart else share).view(bits))
        if not apart:
            to += share
    if not whole:
        grad_x[...] = _inside(framed, windows)


def _buffer(name, shape, dtype):
    if dtype == np.float32:
        return scratch(name, shape)
    return np.empty(shape, dtype)
