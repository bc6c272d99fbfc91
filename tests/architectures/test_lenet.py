"""LeNet-5 of 1998 to the letter: its first weights, its bitmaps, its connections, and what its answers mean."""

import numpy as np
import pytest
from helpers import assert_close
from helpers import lenet5 as of_lecture_23

from cnnlib import architectures, layers, losses
from cnnlib.architectures import lenet, summary

# The paper, section II.B: layer by layer, weights and biases that are learnt, and connections.
PARAMETERS = {"c1": 156, "s2": 12, "c3": 1_516, "s4": 32, "c5": 48_120, "f6": 10_164, "output": 0}
CONNECTIONS = {"c1": 122_304, "s2": 5_880, "c3": 151_600, "s4": 2_000, "c5": 48_120, "f6": 10_164, "output": 840}
FAN_IN = {"c1": 25, "s2": 4, "s4": 4, "c5": 400, "f6": 120}


def build(engine, **more):
    if engine == "torch":
        pytest.importorskip("torch")
        return architectures.lenet5_1998(**more)
    return architectures.lenet5_1998(nn=layers, **more)


def as_numpy(parameter):
    return parameter.data if isinstance(parameter.data, np.ndarray) else parameter.detach().numpy()


def test_parameters_and_connections():
    """A connection for each product, and one for each bias; of subsampling, four pixels and a bias."""
    table = summary(architectures.lenet5_1998, (1, 32, 32))
    assert {name: table[name].parameters for name in PARAMETERS} == PARAMETERS
    units = {name: int(np.prod(table[name].output_shape)) for name in CONNECTIONS}
    found = {name: table[name].multiply_adds + units[name] * (name != "output") for name in CONNECTIONS}
    found |= {name: 5 * units[name] for name in ("s2", "s4")}
    assert found == CONNECTIONS and sum(found.values()) == 340_908
    assert [table[name].jump for name in ("c1", "s2", "c3", "s4", "c5")] == [1, 2, 2, 4, 4]


def test_the_table():
    """Six maps of three neighbours, six of four, three of four others, one of all; each channel is seen ten times."""
    rows = [tuple(map(int, row)) for row in lenet.C3]
    assert [len(row) for row in rows] == [3] * 6 + [4] * 9 + [6]
    assert [sum(channel in row for row in rows) for channel in range(6)] == [10] * 6
    assert len(set(map(frozenset, rows))) == 16
    for count, some in ((3, rows[:6]), (4, rows[6:12])):
        assert set(map(frozenset, some)) == {frozenset((k + i) % 6 for i in range(count)) for k in range(6)}


@pytest.mark.parametrize("engine", ["ours", "torch"])
def test_first_weights(engine):
    """Evenly from ± 2.4 / fan_in, biases too; in C3 each map has a fan-in of its own."""
    net = build(engine, rng=np.random.default_rng(0))
    for name, fan_in in FAN_IN.items():
        numbers = np.concatenate([as_numpy(p).ravel() for p in getattr(net, name).parameters()]) * fan_in / 2.4
        assert np.abs(numbers).max() <= 1 + 1e-6
        assert np.abs(numbers).max() > 0.9 or numbers.size < 40
    start = 0
    for row, bias in zip(lenet.C3, as_numpy(net.c3.bias)):
        kernels = as_numpy(net.c3.weight)[start:start + len(row)]
        limit, start = 2.4 / (25 * len(row)), start + len(row)
        assert 0.8 * limit < np.abs(kernels).max() <= limit * (1 + 1e-6) and abs(bias) <= limit * (1 + 1e-6)


def test_one_generator_gives_both_engines_the_same_net():
    ours, theirs = (build(engine, rng=np.random.default_rng(3)) for engine in ("ours", "torch"))
    for (name, one), (other_name, other) in zip(ours.named_parameters(), theirs.named_parameters(), strict=True):
        assert name == other_name
        assert_close(one.data, as_numpy(other))
    assert not np.array_equal(build("ours").c1.weight.data, build("ours").c1.weight.data)


def test_bitmaps():
    """Ink and paper, no two alike: the two nearest, 3 and 8, differ in 10 of 84 pixels, a distance of 40."""
    maps = lenet.bitmaps()
    assert maps.shape == (10, 12, 7) and maps.dtype == np.float32 and set(np.unique(maps)) == {-1, 1}
    flat = maps.reshape(10, 84)
    differ = (flat[:, None] != flat).sum(axis=2)
    np.fill_diagonal(differ, 84)
    assert differ.min() == differ[3, 8] == 10 and (differ == 10).sum() == 2
    assert (maps[:, [0, -1]] == -1).all() and (maps[:, :, -1] == -1).all()  # paper above, below, and to the right


@pytest.mark.parametrize("engine", ["ours", "torch"])
def test_the_nearest_bitmap_wins(engine):
    """A net whose F6 shows a digit's bitmap gives this digit the score 0, and argmax finds it."""
    net = build(engine)
    shown = lenet.bitmaps().reshape(10, 84)
    if engine == "torch":
        import torch
        scores = net.output(torch.tensor(shown)).numpy()
    else:
        scores = net.output(shown)
    assert (scores.argmax(axis=1) == np.arange(10)).all() and (scores.diagonal() == 0).all()
    assert scores[3, 8] == -40 and scores.min() == scores[6, 7] == -168


def test_seven_classes_take_the_first_seven_bitmaps():
    assert_close(build("ours", num_classes=7).output.centres.data, lenet.bitmaps()[:7].reshape(7, 84))
    with pytest.raises(ValueError, match="`num_classes` is 11; there are bitmaps for ten digits"):
        build("ours", num_classes=11)


def test_ink_levels(array):
    x = array(np.array([0.0, 1.0, 0.5]))
    assert_close(lenet.ink_levels(x), np.array([-0.1, 1.175, 0.5375]))


def test_the_gradient_of_the_whole_net(rng):
    """Backward through all of it, loss included, against central differences along a direction, in float64."""
    net = build("ours", rng=rng).to("float64")
    x, target = lenet.ink_levels(rng.random((3, 1, 32, 32))), np.array([1, 4, 9])
    net.backward(losses.rubbish_cross_entropy_backward(1.0, net(x), target)[0])
    along = [rng.standard_normal(p.shape) / p.numel()**0.5 for p in net.parameters()]
    slope = sum(float((p.grad * step).sum()) for p, step in zip(net.parameters(), along))
    values = []
    for sign in (1, -2):
        for p, step in zip(net.parameters(), along):
            p.data[...] += sign * 1e-5 * step
        values.append(float(losses.rubbish_cross_entropy(net(x), target)))
    assert slope != 0 and abs((values[0] - values[1]) / 2e-5 - slope) < 1e-6 * abs(slope)


def test_todays_form_is_the_net_of_lecture_23(rng):
    """ReLU, the largest of four, a linear output: with the same weights, the same scores as the net written there."""
    ours, theirs = architectures.lenet5(nn=layers), of_lecture_23(layers)
    theirs.load_state_dict(ours.state_dict())
    x = rng.standard_normal((3, 1, 32, 32)).astype("float32")
    assert_close(ours(x), theirs(x))
    assert [name for name, _ in ours.named_children()] == [name for name, _ in theirs.named_children()]
