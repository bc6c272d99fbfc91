"""What notebooks/40 says of LeNet-5. (Its parameters, connections and bitmaps: tests/architectures/test_lenet.py.)"""

import numpy as np
import pytest
from helpers import assert_close

from cnnlib import activations, architectures, initializers, layers, losses, optim, training
from cnnlib.architectures import lenet, summary
from cnnlib.features import hog


@pytest.fixture(scope="module")
def scans():
    pytest.importorskip("sklearn")
    from cnnlib import data

    (x_learn, y_learn), (x_test, y_test) = data.load_digits(size=32, split="last")
    return lenet.ink_levels(x_learn), y_learn, lenet.ink_levels(x_test), y_test


@pytest.fixture(scope="module")
def trained(scans):
    """The net of 1998 after three passes: half of the notebook's."""
    net = architectures.lenet5_1998(rng=np.random.default_rng(0), nn=layers)
    history = training.fit(net, scans[:2], epochs=3, batch_size=16, loss=layers.RubbishCrossEntropyLoss(),
                           optimizer=optim.Adam(net.parameters(), lr=0.003), schedule=optim.CosineAnnealingLR,
                           callback=None)
    return net, history


def test_squashing():
    """f(±1) = ±1.0000, and it bends most within 0.02 of ±1."""
    assert abs(activations.scaled_tanh(np.array(1.0)) - 1) < 5e-5
    a = np.linspace(0, 4, 4001)
    slope = activations.scaled_tanh_backward(np.ones_like(a), a)
    assert abs(a[np.argmax(np.abs(np.gradient(slope, a)))] - 1) < 0.02


def test_where_the_numbers_and_the_work_are():
    table = summary(architectures.lenet5_1998, (1, 32, 32))
    assert table["c5"].parameters / table.parameters == pytest.approx(0.8, abs=0.01)
    assert (122_304 + 151_600) / 340_908 == pytest.approx(0.80, abs=0.005)
    assert (table["c1"].parameters + table["c3"].parameters) / 60_000 < 0.03
    assert table["c5"].output_shape == (120, 1, 1)


def test_from_1998_to_today():
    """Full C3 + 900, S without numbers - 44, a linear output + 850; 90,000 more products."""
    old, new = (summary(factory, (1, 32, 32)) for factory in (architectures.lenet5_1998, architectures.lenet5))
    assert new.parameters - old.parameters == 36 * 25 - (12 + 32) + 84 * 10 + 10
    assert new.multiply_adds - old.multiply_adds == 36 * 25 * 100 == 90_000


def test_the_full_net_has_as_many_numbers():
    full = layers.Sequential(layers.Linear(1024, 58), layers.Linear(58, 10))
    assert abs(sum(p.numel() for p in full.parameters()) - 60_000) < 50


def test_28_pixels_give_256_numbers_where_400_are_wanted():
    with pytest.raises(ValueError, match=r"what comes is \(256,\); it wants 400.*smallest.*is 32 x 32"):
        summary(architectures.lenet5, (1, 28, 28))
    with pytest.raises(ValueError, match=r"does not fit into `x` \(16, 4, 4\).*smallest.*is 32 x 32"):
        summary(architectures.lenet5_1998, (1, 28, 28))


def test_exercise_1():
    """At 64 x 64 C5's maps are 9 x 9, and F6 fails on 9,720 numbers."""
    with pytest.raises(ValueError, match=r"in stage 'f6'.*what comes is \(9720,\); it wants 120"):
        summary(architectures.lenet5_1998, (1, 64, 64))


def test_exercise_3():
    """3's drawing, its ten pixels that 8 has not at 0: both are 10 away; E is 9.9, and only 3 is pulled."""
    maps = lenet.bitmaps().reshape(10, 84)
    shown = np.where(maps[3] == maps[8], maps[3], 0)[None].astype("float64")
    x = -((shown[:, None] - maps) ** 2).sum(axis=2)
    assert x[0, 3] == x[0, 8] == -10
    assert float(losses.rubbish_cross_entropy(x, np.array([3]))) == pytest.approx(9.9, abs=1e-3)
    grad = -losses.rubbish_cross_entropy_backward(1.0, x, np.array([3]))[0][0]
    assert grad[3] == pytest.approx(1, abs=1e-4) and grad[8] == pytest.approx(-5e-5, abs=5e-6)


def test_two_penalties():
    """y = (2, 3): E = 2.0861."""
    loss = losses.rubbish_cross_entropy(np.array([[-2.0, -3.0]]), np.array([0]))
    assert_close(loss, np.array(2 + np.log(np.exp(-0.1) + np.exp(-2) + np.exp(-3))))
    assert round(float(loss), 4) == 2.0861


def test_the_first_loss_is_about_84(trained):
    assert 75 < trained[1].step_loss[0] < 95


def test_the_nearest_drawing_wins_and_the_farthest_is_never_right(trained, scans):
    net, _ = trained
    distances = -net(scans[2])
    assert np.mean(distances.argmin(axis=1) == scans[3]) > 0.8
    assert np.mean(distances.argmax(axis=1) == scans[3]) < 0.01


def test_rubbish_is_far(trained, scans):
    """Shuffled pixels are farther from every drawing than digits are."""
    net, _ = trained
    order = np.random.default_rng(0).permutation(1024)
    shuffled = scans[2].reshape(-1, 1024)[:, order].reshape(scans[2].shape)
    digits, noise = (-net(x).max(axis=1) for x in (scans[2], shuffled))
    assert np.median(noise) > 2 * np.median(digits)
    assert np.mean(noise > np.quantile(digits, 0.9)) > 0.3


def test_what_was_not_normalised_is_not_read(trained, scans):
    net, _ = trained
    x = (scans[2] + 0.1) / 1.275
    moved = np.pad(x, ((0, 0), (0, 0), (0, 0), (8, 0)))[..., :32]
    for other in (1 - x, moved):
        assert np.mean(net(lenet.ink_levels(other)).argmax(axis=1) == scans[3]) < 0.5


def test_the_middles_of_c3s_fields_cover_the_ink():
    """10 positions, 2 apart, on 32 x 32; 8 on 28 x 28."""
    c3 = summary(architectures.lenet5_1998, (1, 32, 32))["c3"]
    assert (c3.output_shape[1:], c3.jump, c3.receptive_field) == ((10, 10), 2, 14)
    rows = 28
    for kernel, stride in ((5, 1), (2, 2), (5, 1)):
        rows = (rows - kernel) // stride + 1
    assert rows == 8


def test_what_rubbish_changes():
    """40 against 90: without rubbish nobody is pulled; 90 against 40: without it the other is pushed further away."""
    for target, by_rubbish, without in ((0, [1, 0], [0, 0]), (1, [0, 1], [-1, 1])):
        x, right = np.array([[-40.0, -90.0]]), np.array([target])
        assert_close(-losses.rubbish_cross_entropy_backward(1.0, x, right)[0], np.array([by_rubbish], dtype="float64"))
        assert_close(-losses.cross_entropy_backward(1.0, x, right)[0], np.array([without], dtype="float64"))


def test_the_first_weights_let_the_signal_shrink(scans):
    net = architectures.lenet5_1998(rng=np.random.default_rng(0), nn=layers)
    spread = [net.forward_to(scans[0][:200], f"tanh{k}").std(axis=0).mean() for k in range(1, 7)]
    assert spread[0] < 0.1 and spread[5] < 0.001


def test_rivals_that_learn_no_filters(scans):
    """90 scans are enough for HOG and a linear classifier to err on 14 %; the nearest of all scans errs on 3.9 %."""
    x, y, new, answers = scans
    hogs = [hog.hog((part[:, 0] + 0.1) / 1.275).astype("float32") for part in (x, new)]
    hogs = [(part - hogs[0].mean(axis=0)) / hogs[0].std() for part in hogs]
    errors = []
    for seed in range(3):
        rng = np.random.default_rng(seed)
        chosen = rng.permutation(len(x))[:90]
        model = initializers.redraw(layers.Linear(324, 10), initializers.he_normal, rng)
        training.fit(model, (hogs[0][chosen], y[chosen]), epochs=54, batch_size=16, seed=seed, callback=None,
                     optimizer=optim.Adam(model.parameters(), lr=0.003), schedule=optim.CosineAnnealingLR)
        errors.append(1 - training.evaluate(model, (hogs[1], answers)).accuracy)
    assert 0.12 < np.mean(errors) < 0.15
    a, b = new.reshape(len(new), -1), x.reshape(len(x), -1)
    nearest = y[((b**2).sum(axis=1) - 2 * a @ b.T).argmin(axis=1)]
    assert np.mean(nearest != answers) == pytest.approx(0.039, abs=0.003)
