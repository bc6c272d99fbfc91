"""The top-k error: by hand, by another way, and what it refuses."""

import numpy as np
import pytest

from cnnlib.training import top_error

SCORES = np.array([[0.1, 0.5, 0.2, 0.9, 0.4], [3.0, 1.0, 2.0, -1.0, 0.0]])


@pytest.mark.parametrize("k, error", [(1, 1.0), (2, 0.5), (3, 0.5), (4, 0.0), (5, 0.0)])
def test_known_values(k, error):
    """Class 2 has rank 3 in the first sample and rank 1 in the second."""
    assert top_error(SCORES, np.array([2, 2]), k) == error


def test_equals_the_rank(array, rng):
    scores, target = rng.standard_normal((50, 20)), rng.integers(0, 20, 50)
    rank = (scores > scores[np.arange(50), target][:, None]).sum(axis=1)
    for k in (1, 3, 5, 20):
        assert top_error(array(scores), array(target), k) == (rank >= k).mean()
        assert top_error(2 * scores + 7, target, k) == (rank >= k).mean()


def test_equal_scores_are_no_gift():
    """All classes alike: the first five are guessed, whatever the target."""
    assert top_error(np.zeros((20, 20)), np.arange(20)) == 15 / 20


@pytest.mark.parametrize("scores, target, k, words", [
    (SCORES, [2], 1, r"\(2, 5\) and `target` \(1,\)"),
    (SCORES[0], [2], 1, r"\(5,\) and `target`"),
    (SCORES[:0], np.zeros(0, int), 1, "a sample at least"),
    (SCORES, [2, 2], 6, "`k` is 6; there are 5 classes"),
    (SCORES, [2, 2], 0, "`k`"),
    (SCORES * np.nan, [2, 2], 1, "NaN in 2 of 2"),
    (SCORES, [0, 5], 1, "from 0 to 5; the classes are 0 to 4")])
def test_errors(scores, target, k, words):
    with pytest.raises(ValueError, match=words):
        top_error(scores, np.array(target), k)


def test_targets_are_whole_numbers():
    with pytest.raises(TypeError, match="float64"):
        top_error(SCORES, np.array([2.0, 2.0]))
