"""What a mask asks of every pixel, and what its eight turns by 45° answer: the sums of the mask explorer.

Thinning and hysteresis are :mod:`cnnlib.features.edges`'s; here any mask of odd size turns, over any border. The same
numbers as static/kit/edges.js.
A direction is named by walking along the edge with the brighter side on the right.
"""

from functools import cached_property

import numpy as np

from cnnlib import conv
from cnnlib.features import edges

NAMES = edges.DIRECTIONS
STEPS = ((-1, 0), (-1, 1), (0, 1), (1, 1), (1, 0), (1, -1), (0, -1), (-1, -1))  # (rows, columns) that a name walks
FORWARD = (1, 2, 3, 4)  # the places of the ways on which 2 columns + rows grows
PADDING = {"replicate": "edge", "reflect": "reflect", "zeros": "constant"}  # torch's words, and NumPy's
EDGE = {"sobel": edges.SOBEL, "prewitt": edges.PREWITT, "scharr": edges.SCHARR}
SPOT = {"laplacian": edges.LAPLACIAN, "laplacian_8": [[1, 1, 1], [1, -8, 1], [1, 1, 1]]}
TINY = 1e-6  # of the weights' sum: below it a sum is 0, since masks travel in single precision
GRAIN = 1e-12  # of the largest sum possible: answers are rounded to about that, so that equal ones are equal


def ring(size, radius):
    """Return the rows and the columns of the square ring round a mask's centre, clockwise from its upper left."""
    run, far, near = np.arange(2 * radius), np.full(2 * radius, radius), np.full(2 * radius, -radius)
    rows = np.concatenate([near, run - radius, far, radius - run])
    cols = np.concatenate([run - radius, far, radius - run, near])
    return rows + size // 2, cols + size // 2


def turn(mask, steps):
    """Turn a mask clockwise by 45° so many times: each of its square rings of weights moves on by an eighth.

    Examples
    --------
    >>> turn(preset("sobel_N"), 1).astype(int).tolist()
    [[-2, -1, 0], [-1, 0, 1], [0, 1, 2]]
    """
    turned = np.array(mask)
    for radius in range(1, len(mask) // 2 + 1):
        at = ring(len(mask), radius)
        turned[at] = np.roll(np.asarray(mask)[at], steps * radius)
    return turned


def preset(name):
    """Return the mask of this name, float64, or None: sobel_N, robinson_SW, prewitt_E, …, laplacian, laplacian_8."""
    if name in SPOT:
        return np.array(SPOT[name], dtype=np.float64)
    family, _, direction = name.partition("_")
    family = "sobel" if family == "robinson" else family
    if family not in EDGE or direction not in NAMES:
        return None
    return turn(EDGE[family].astype(np.float64), NAMES.index(direction))


def preset_name(mask):
    """Return the name of a mask that has one, or None; Sobel's turned by an odd eighth is called Robinson's."""
    for name in SPOT:
        if np.array_equal(mask, SPOT[name]):
            return name
    kind, index = nature(mask)
    for family in EDGE if kind == 1 else ():
        if np.array_equal(mask, preset(f"{family}_{NAMES[index]}")):
            return f"{'robinson' if family == 'sobel' and index % 2 else family}_{NAMES[index]}"
    return None


def nature(mask):
    """Return what a mask looks for, and the place of its direction in `NAMES`.

    1: a step, brighter on one side (the first harmonic of the weights round the centre). 2: a line, brighter or
    darker along the middle (the second). 0: neither; the place is then 0. A turn by 45° moves the place on by one.
    """
    mask = np.asarray(mask, dtype=np.float64)
    first = second = 0j
    for radius in range(1, len(mask) // 2 + 1):
        bearing = np.pi / 4 * (np.arange(8 * radius) / radius - 1)  # 0 is up, clockwise
        weights = mask[ring(len(mask), radius)]
        first += (weights * np.exp(1j * bearing)).sum()
        second += (weights * np.exp(2j * bearing)).sum()
    for kind, found in ((1, first), (2, second)):
        if np.isfinite(found) and abs(found) > TINY * np.abs(mask).sum():
            angle = np.angle(found) * 4 / np.pi - 2 if kind == 1 else np.angle(found) * 2 / np.pi
            return kind, int(np.floor(angle + 0.5 + TINY)) % (8 if kind == 1 else 4)
    return 0, 0


class Answers:
    """All that a mask and its turns answer over one picture.

    Parameters
    ----------
    image : array of shape (H, W), float64
    mask : array of shape (K, K), float64
    padding : {"replicate", "reflect", "zeros", "valid"}

    Attributes
    ----------
    margin : int
        How many pixels at each side have no answer: 0, or for "valid" half of the mask.
    """

    def __init__(self, image, mask, padding):
        self.mask, half = mask, len(mask) // 2
        self.margin = half if padding == "valid" else 0
        self.padded = image if padding == "valid" else np.pad(image, half, mode=PADDING[padding])
        self.kind, self.index = nature(mask)
        most = np.abs(image[np.isfinite(image)]).max(initial=0) * np.abs(mask).sum()
        self.grain = 2.0 ** np.floor(np.log2(GRAIN * most)) if 0 < most < np.inf else 1.0

    @cached_property
    def turns(self):
        """The eight turns of the mask, in the order of `NAMES`."""
        return [turn(self.mask, place - self.index) for place in range(8)]

    @cached_property
    def response(self):
        """What the mask answers, as it lies: its products with the pixels under it, summed."""
        return self._ask([self.mask])[0]

    @cached_property
    def responses(self):
        """What the eight turns answer, an array of shape (8, H, W)."""
        return self._ask(self.turns)

    def _ask(self, masks):
        with np.errstate(invalid="ignore"):  # NaN and infinite weights
            answers = conv.conv2d(self.padded[None], np.array(masks)[:, None], method="exact")
            far = 1.5 * 2**52 * self.grain
            return answers + far - far

    @cached_property
    def strongest(self):
        """The largest of the eight answers and the first turn that gives it; -1 where there is a NaN."""
        strength, direction = self.responses[0].copy(), np.zeros(self.responses.shape[1:], dtype=np.int64)
        for place, response in enumerate(self.responses[1:], 1):
            larger = response > strength
            strength[larger], direction[larger] = response[larger], place
        direction[np.isnan(strength)] = -1
        return strength, direction

    def across(self, row, col):
        """Return the neighbours across the edge as (name of the way, strength, does it come first?); none on the frame.

        The one that comes first is preferred where both are equally strong.
        """
        strength, direction = self.strongest
        rows, cols = strength.shape
        if direction[row, col] < 0 or not (0 < row < rows - 1 and 0 < col < cols - 1):
            return []
        sides = sorted((direction[row, col] + quarter) % 8 for quarter in (2, 6))
        return [(NAMES[side], strength[row + STEPS[side][0], col + STEPS[side][1]], side not in FORWARD)
                for side in sides]

    @cached_property
    def thinned(self):
        """The strength where none across the edge is stronger, elsewhere and on the frame 0; NaN stay."""
        strength, direction = self.strongest
        steps = np.array(STEPS, dtype=np.float64)[(direction + 2) % 8]
        thin = edges.non_maximum_suppression(np.nan_to_num(strength), steps[..., 0], steps[..., 1])
        return np.where(np.isnan(strength), strength, thin)

    @cached_property
    def top(self):
        """The largest strength, at least 0."""
        strength = self.strongest[0]
        return strength[np.isfinite(strength)].max(initial=0)

    def joined(self, low, high):
        """Sort what was kept by two thresholds, as shares of the largest strength.

        Returns an array of 0 (nothing), 1 (at most low), 2 (between, alone), 3 (between, joined to a strong one through
        neighbours above low), 4 (above high).
        """
        thin = np.nan_to_num(self.thinned)
        low, high = low * self.top, high * self.top
        return (thin > 0) * 1 + (thin > low) * 1 + edges.hysteresis(thin, low, high) * 1 + (thin > high) * 1

