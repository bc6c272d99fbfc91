"""The facts of lecture 22: what pooling keeps, what it costs, how much of a shift it forgives, what it loses."""

import numpy as np
import pytest
from helpers import assert_close

from cnnlib import conv, data, geometry, layers, pool

ANSWERS = np.array([[1.0, 2, 2, 5], [-1, -2, 2, 0], [0, 5, 1, 1], [3, 0, 1, 0]])  # of lecture 20, to the chalk seven
STRIPES = np.array([0.0, 0, 1, 1, 0, 0, 1, 1])[None, None]
BLUR = np.outer([1, 2, 1], [1, 2, 1]) / 16


def blurred_max(x):
    channels = x.shape[-3]
    return conv.conv2d(pool.max_pool2d(x, 2, 1, padding=1), np.tile(BLUR, (channels, 1, 1, 1)), stride=2,
                       groups=channels)


WAYS = {
    "stride": lambda x: x[..., ::2, ::2], "max": lambda x: pool.max_pool2d(x, 2),
    "overlapping": lambda x: pool.max_pool2d(x, 3, 2, 1), "L2": lambda x: pool.lp_pool2d(x, 2, 2),
    "average": lambda x: pool.avg_pool2d(x, 2), "blurred": blurred_max,
}


def test_four_hundred_filters():
    out = conv.conv2d(data.photo("camera", size=96)[None], np.random.default_rng(0).normal(size=(400, 1, 8, 8)))
    assert out.shape == (400, 89, 89) and out.size == 3_168_400
    for kernel_size, numbers in ((2, 774_400), (8, 48_400), (89, 400)):
        assert pool.max_pool2d(out, kernel_size).size == numbers
    assert pool.adaptive_avg_pool2d(out, 1).size == 400


def test_the_windows_of_the_chalk_seven():
    x = ANSWERS[None]
    assert_close(pool.max_pool2d(x, 2)[0], np.array([[2.0, 5], [5, 1]]))
    assert_close(pool.avg_pool2d(x, 2)[0], np.array([[0, 2.25], [2, 0.75]]))
    assert_close(pool.lp_pool2d(x, 2, 2)[0] ** 2, np.array([[10.0, 33], [34, 3]]))


@pytest.mark.parametrize("alpha", (1, 1.5, 2, 4, 16, 64))
def test_norms_between_the_maximum_and_the_sum(rng, alpha):
    x = 0.1 + rng.random((3, 12, 12))
    largest, y = pool.max_pool2d(x, 3), pool.lp_pool2d(x, alpha, 3)
    assert (y >= largest * (1 - 1e-12)).all() and (y <= 9 ** (1 / alpha) * largest * (1 + 1e-12)).all()
    assert 9 ** (1 / 220) > 1.01 > 9 ** (1 / 221)


def test_sizes_and_parameters():
    assert [geometry.output_size(*setting) for setting in ((24, 2, 2), (55, 3, 2), (8, 3, 2))] == [12, 27, 3]
    assert pool.max_pool2d(np.zeros((12, 24, 24)), 2).shape == (12, 12, 12)
    for layer in (layers.MaxPool2d(3, 2), layers.AvgPool2d(2)):
        assert len(layer.parameters()) == 0
    assert geometry.conv_multiply_adds(16, 32, 3, 89) / geometry.conv_multiply_adds(16, 32, 3, 45) > 3.9


def test_each_map_by_itself(rng):
    x, order = rng.normal(size=(12, 24, 24)), rng.permutation(12)
    for way in WAYS.values():
        assert_close(way(x)[5], way(x[5:6])[0])
        assert_close(way(x[order]), way(x)[order])


def test_stripes_moved_by_one_are_gone():
    expected = {0: [0, 1, 0, 1], 1: [1, 1, 1, 1], 2: [1, 0, 1, 0]}
    for t, out in expected.items():
        assert pool.max_pool2d(np.roll(STRIPES, t), (1, 2))[0, 0].tolist() == out
    alternating = np.array([0.0, 1] * 4)[None, None]  # exercise 4
    assert (pool.max_pool2d(alternating, (1, 2)) == pool.max_pool2d(np.roll(alternating, 1), (1, 2))).all()
    line = np.array([[[[1, 2, 1]]]]) / 4
    soft = [conv.conv2d(pool.max_pool2d(np.roll(STRIPES, t), (1, 2), 1, (0, 1)), line, stride=(1, 2)) for t in (0, 1)]
    assert [out.ravel().tolist() for out in soft] == [[0.25, 1, 0.5, 1], [0.75] * 4]


@pytest.mark.parametrize("way", [lambda x: pool.max_pool2d(x, 2), lambda x: pool.max_pool2d(x, 3, 2, 1)],
                         ids=["side by side", "overlapping"])
@pytest.mark.parametrize("times", (1, 2, 3))
def test_a_map_follows_one_shift_in_four_to_the_halvings(way, times):
    photo = data.photo("camera", size=96)[None]

    def halved(x):
        for _ in range(times):
            x = way(x)
        return x

    turns = [np.roll(halved(photo), turn, axis=(1, 2)) for turn in np.ndindex(2, 2)]
    follow = [t for t in np.ndindex(2**times, 2**times)
              if any((halved(np.roll(photo, t, axis=(1, 2))) == turn).all() for turn in turns)]
    assert follow == [(0, 0)]


def test_how_much_a_map_of_the_photo_changes():
    photo, falling = data.photo("camera", size=256), np.array([[2.0, -1, -1], [-1, 2, -1], [-1, -1, 2]])
    still, moved, third = (np.maximum(conv.correlate2d(photo[20:222, 40 - t:242 - t], falling), 0)[None]
                           for t in (0, 1, 3))

    def change(way, x):
        return np.linalg.norm(way(x) - way(still)) / np.linalg.norm(way(still))

    by_one = {name: change(way, moved) for name, way in WAYS.items()}
    assert {name: round(100 * share) for name, share in by_one.items()} == {
        "stride": 101, "max": 66, "overlapping": 44, "L2": 66, "average": 72, "blurred": 42}
    assert change(WAYS["max"], third) > 1
    assert 0.6 < np.mean(WAYS["max"](moved) != WAYS["max"](still)) < 0.75


def share_right(way, seed, digits, names, new_digits, new_names):
    rng = np.random.default_rng(seed)
    weights = rng.normal(size=(16, 1, 3, 3)) / np.sqrt(4.5), rng.normal(size=(64, 16, 3, 3)) / np.sqrt(72)

    def features(x, t):
        x = np.pad(x.astype(float), ((0, 0), (0, 0), (2, 2), (6 + t, 10 - t)))
        for weight in weights:
            x = way(np.maximum(conv.conv2d(x, weight, padding=1), 0))
        return np.insert(x.mean(axis=(2, 3)), 0, 1, axis=1)

    fitted = np.linalg.lstsq(features(digits[:1000], 0), np.eye(10)[names[:1000]], rcond=None)[0]
    return [np.mean((features(new_digits, t) @ fitted).argmax(axis=1) == new_names) for t in (0, 1, 2, 4)]


@pytest.mark.parametrize("seed", (0, 1))
def test_one_pixel_costs_more_than_four(seed):
    """The claims of the text, and that they are not one draw's luck."""
    pytest.importorskip("sklearn")
    (digits, names), (new_digits, new_names) = data.load_digits()
    right = {name: share_right(WAYS[name], seed, digits, names, new_digits, new_names)
             for name in ("stride", "max", "average", "blurred")}
    assert all(shares[0] == shares[3] > 0.9 for shares in right.values())
    one = {name: shares[1] for name, shares in right.items()}
    assert one["stride"] < one["max"] < 0.65 < one["average"] < 0.9 < one["blurred"]
    assert right["average"][2] == right["average"][0] and right["max"][2] < 0.6  # exercise 3
    assert abs(right["stride"][0] - right["max"][0]) < 0.03


def test_fewer_numbers_less_is_learnt_by_heart():
    pytest.importorskip("sklearn")
    (digits, names), (new_digits, new_names) = data.load_digits()
    rng = np.random.default_rng(0)
    filters = rng.normal(size=(40, 1, 3, 3)) / np.sqrt(4.5)
    chosen = rng.permutation(len(digits))[:1000]
    maps, new_maps = (np.maximum(conv.conv2d(x.astype(float), filters), 0) for x in (digits[chosen], new_digits))
    names = names[chosen]
    shuffled = rng.permutation(names)

    def shares(shrink):
        known, new = (np.insert(shrink(x).reshape(len(x), -1), 0, 1, axis=1) for x in (maps, new_maps))
        by_heart, fitted = (np.linalg.lstsq(known, np.eye(10)[n], rcond=None)[0] for n in (shuffled, names))
        return [np.mean((x @ weight).argmax(axis=1) == right)
                for x, weight, right in ((known, by_heart, shuffled), (new, fitted, new_names))]

    table = [shares(lambda x, k=k: pool.max_pool2d(x, k)) for k in (1, 2, 3, 6)]
    assert table[0][0] == 1 and table[1][0] < 0.8 and table[2][0] < 0.5 and table[3][0] < 0.3
    assert table[0][1] < 0.95 < 0.965 < min(table[1][1], table[2][1]) and table[3][1] < 0.9
    stride = shares(lambda x: x[..., ::3, ::3])
    assert abs(stride[0] - table[2][0]) < 0.05 and 0.01 < table[2][1] - stride[1] < 0.04


def test_new_digits_gain_by_pooling_not_by_a_stride():
    """Over nine draws of the filters: a stride of 3 gains nothing on average, max pooling gains in each."""
    pytest.importorskip("sklearn")
    (digits, names), (new_digits, new_names) = data.load_digits()
    gains = []
    for seed in range(9):
        rng = np.random.default_rng(seed)
        filters = rng.normal(size=(40, 1, 3, 3)) / np.sqrt(4.5)
        chosen = rng.permutation(len(digits))[:1000]
        maps, new_maps = (np.maximum(conv.conv2d(x.astype(float), filters), 0) for x in (digits[chosen], new_digits))
        right = []
        for shrink in (lambda x: x, lambda x: x[..., ::3, ::3], lambda x: pool.max_pool2d(x, 3)):
            known, new = (np.insert(shrink(x).reshape(len(x), -1), 0, 1, axis=1) for x in (maps, new_maps))
            fitted = np.linalg.lstsq(known, np.eye(10)[names[chosen]], rcond=None)[0]
            right.append(np.mean((new @ fitted).argmax(axis=1) == new_names))
        gains.append(np.array(right[1:]) - right[0])
    by_stride, by_pooling = np.transpose(gains)
    assert abs(by_stride.mean()) < 0.01 and by_stride.min() < -0.01 < 0.01 < by_stride.max()
    assert by_pooling.min() > 0.01


def test_neighbours_in_a_map_say_much_the_same():
    photo = data.photo("camera", size=96)[None]
    maps = np.maximum(conv.conv2d(photo, np.random.default_rng(0).normal(size=(400, 1, 8, 8)) / 8), 0)
    beside = [np.corrcoef(x[:, 1:].ravel(), x[:, :-1].ravel())[0, 1] for x in maps if x.std() > 0.01]
    assert len(beside) > 300 and 0.6 < np.mean(beside) < 0.9


def test_what_is_inside_a_window_is_lost():
    photo, rng = data.photo("camera", size=96), np.random.default_rng(0)
    cut = photo.reshape(12, 8, 12, 8).transpose(0, 2, 1, 3).reshape(144, 64)
    mixed = rng.permuted(cut, axis=1).reshape(12, 12, 8, 8).transpose(0, 2, 1, 3).reshape(96, 96)
    assert np.mean(mixed != photo) > 0.9
    for op, how in ((pool.max_pool2d, [8]), (pool.avg_pool2d, [8]), (pool.lp_pool2d, [2, 8])):
        assert_close(op(mixed[None], *how), op(photo[None], *how))
    assert abs(mixed[::8, ::8] - photo[::8, ::8]).max() > 0.1  # a stride alone does notice


def test_pooling_as_convolution(rng):
    x = rng.normal(size=(16, 20, 22))
    assert_close(conv.conv2d(x, np.full((16, 1, 2, 2), 1 / 4), stride=2, groups=16), pool.avg_pool2d(x, 2))
    assert_close(pool.max_pool2d(x, 2, 1)[:, ::2, ::2], pool.max_pool2d(x, 2))


def test_order_of_relu_and_pooling(rng):
    x = rng.normal(size=(4, 16, 16))
    assert_close(np.maximum(pool.max_pool2d(x, 2), 0), pool.max_pool2d(np.maximum(x, 0), 2))
    different = abs(np.maximum(pool.avg_pool2d(x, 2), 0) - pool.avg_pool2d(np.maximum(x, 0), 2)) > 1e-12
    assert different.mean() > 0.5


def test_padding_with_zeros_beats_negative_answers():
    x = -np.ones((1, 6, 6))
    assert (pool.max_pool2d(x, 3, 2, padding=1) == -1).all()
    zeros = pool.max_pool2d(np.pad(x, ((0, 0), (1, 1), (1, 1))), 3, 2)[0]
    assert (zeros[0] == 0).all() and (zeros[:, 0] == 0).all() and (zeros[1:, 1:] == -1).all()


def test_answers_of_the_exercises():
    x = np.array([[[4.0, 0, 2, 2], [1, 3, 0, 2], [0, 0, 6, 1], [0, 8, 1, 0]]])
    assert pool.max_pool2d(x, 2)[0].tolist() == [[4, 2], [8, 6]]
    assert pool.avg_pool2d(x, 2)[0].tolist() == [[2, 1.5], [2, 2]]
    assert pool.max_pool2d(x, 3, 1)[0].tolist() == [[6, 6], [8, 8]]
    assert pool.adaptive_avg_pool2d(x, 1).item() == 1.875
    assert (96 * 55**2, 96 * geometry.output_size(55, 3, 2) ** 2) == (290_400, 69_984)
    assert (10 * 400 * 89**2 + 10, 10 * 400 * 11**2 + 10, 10 * 400 + 10) == (31_684_010, 484_010, 4_010)
    wrong = x.reshape(1, 2, 2, 2, 2).max(axis=(3, 4))  # exercise 5 (a)
    assert wrong.shape == (1, 2, 2) and (wrong != pool.max_pool2d(x, 2)).any()
    assert_close(x.reshape(1, 2, 2, 2, 2).max(axis=(2, 4)), pool.max_pool2d(x, 2))
    rim = pool.avg_pool2d(np.ones((1, 5, 5)), 3, 1, 1)[0]
    assert rim[0, 0] == pytest.approx(4 / 9) and rim[2, 2] == 1
    assert pool.max_pool2d(np.zeros((1, 7, 7)), 2).shape == (1, 3, 3)
    assert pool.max_pool2d(np.zeros((1, 7, 7)), 2, ceil_mode=True).shape == (1, 4, 4)


def test_what_one_finds_in_the_stepper():
    pytest.importorskip("anywidget")
    pytest.importorskip("sklearn")
    from cnnlib.widgets import PoolingStepper

    (digits, names), _ = data.load_digits()
    seven = 16 * digits[names == 7][0, 0]
    assert PoolingStepper(seven, shift=(0, 1)).changed()[0] == 12
    twice = PoolingStepper(seven, shift=(0, 2))
    np.testing.assert_array_equal(twice.output, np.roll(PoolingStepper(seven).output, 1, axis=1))
    assert twice.changed()[0] >= 14
    left = PoolingStepper(seven, shift=(0, -1))
    assert [round(100 * left.change(kind)) for kind in ("max", "stride")] == [68, 66]
    for shift in ((0, 1), (0, -1), (1, 0), (-1, 0)):
        push = PoolingStepper(seven, shift=shift)
        assert push.change("blurred") < min(push.change(kind) for kind in ("max", "average", "L2", "stride"))
    pooling = PoolingStepper(seven, kernel_size=3, stride=2).pooling()
    assert np.count_nonzero(pooling.gradient(np.ones((3, 3))) == 2) == 2
