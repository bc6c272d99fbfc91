"""The facts of lecture 11, and the answers of its text."""

import functools

import numpy as np
import pytest
from helpers import assert_close

from cnnlib import data, geometry, images, layers, optim, training

SIZE = 96
ORDER = np.random.default_rng(42).permutation(784)


@functools.cache
def digits(split="mixed"):
    pytest.importorskip("sklearn")
    return data.load_digits(size=28, split=split)


def squared_distances(a, b):
    """Pixel by pixel, a batch at a time; the lecture multiplies the square out."""
    known = b.reshape(len(b), -1).astype(float)
    return np.stack([((picture.ravel() - known) ** 2).sum(axis=1) for picture in a])


def quick_distances(a, b):
    a, b = (x.reshape(len(x), -1).astype(float) for x in (a, b))
    return (a**2).sum(axis=1)[:, None] + (b**2).sum(axis=1) - 2 * a @ b.T


def moved(x, step):
    return np.roll(np.pad(x, ((0, 0), (0, 0), (0, 0), (4, 4))), step, axis=3)[..., 4:-4]


def scrambled(x):
    return x.reshape(len(x), -1)[:, ORDER].reshape(x.shape)


def linear_classifier(rng):
    return layers.Sequential(layers.Flatten(), layers.Linear(784, 10, rng=rng))


def two_layers(rng):
    return layers.Sequential(layers.Flatten(), layers.Linear(784, 64, rng=rng), layers.ReLU(),
                             layers.Linear(64, 10, rng=rng))


def cnn(rng):
    return layers.Sequential(
        layers.Conv2d(1, 8, 5, rng=rng), layers.ReLU(), layers.MaxPool2d(2), layers.Conv2d(8, 16, 5, rng=rng),
        layers.ReLU(), layers.MaxPool2d(4), layers.Flatten(), layers.Linear(64, 10, rng=rng))


def trained(make, x, y, seed=0, **settings):
    net = make(np.random.default_rng(seed))
    training.fit(net, (x, y), epochs=8, batch_size=64, optimizer=optim.Adam(net.parameters(), lr=0.01),
                 schedule=optim.CosineAnnealingLR, seed=seed, callback=None, **settings)
    return net


@functools.cache
def learnt(make, seed=0):
    return trained(make, *digits()[0], seed)


def right(net, x, y):
    return np.mean(net(x).argmax(axis=1) == y)


@pytest.mark.parametrize("thickness, step, to_itself, to_the_board", [
    (1, 1, 40, 20), (1, 3, 40, 20), (2, 1, 40, 40), (3, 1, 40, 60), (3, 2, 80, 60), (3, 3, 120, 60), (3, 5, 120, 60)])
def test_a_line_of_twenty_ones_moved(thickness, step, to_itself, to_the_board):
    line = np.zeros((24, 16), dtype=int)
    line[2:22, 2:2 + thickness] = 1
    pushed = np.roll(line, step, axis=1)
    assert ((pushed - line) ** 2).sum() == to_itself == 40 * min(step, thickness)
    assert (pushed**2).sum() == to_the_board


def test_weights_of_a_full_layer_and_of_a_filter():
    full = layers.Linear(32 * 32 * 3, 28 * 28, bias=False).weight.numel()
    one_filter = geometry.conv_parameters(3, 1, 5, bias=False)
    assert (full, one_filter, round(full / one_filter)) == (2_408_448, 75, 32_113)
    assert geometry.output_size(32, 5) == 28


def test_counts_of_the_exercises():
    assert sum(p.numel() for p in linear_classifier(None).parameters()) == 7_850
    assert sum(p.numel() for p in two_layers(None).parameters()) == 50_890
    assert 256 * 256 * 3 == 196_608 and 196_608 * 64 + 64 + 64 * 10 + 10 == 12_583_626
    assert 9 * 9 * 12 * 5 * 5 == 24_300


def look(right=0, turn=0, zoom=1, tilt=0, bend=0):
    transform = pytest.importorskip("skimage.transform")
    row, col = np.indices((SIZE, SIZE)) - (SIZE - 1) / 2
    col = col - right + bend * np.sin(row / 8)
    angle, step = np.deg2rad(turn), 216 / SIZE / zoom / (1 + tilt * col)
    down, across = np.cos(angle) * row - np.sin(angle) * col, np.sin(angle) * row + np.cos(angle) * col
    return transform.warp(data.photo("astronaut", grey=True), np.stack([120 + step * down, 224 + step * across]),
                          mode="reflect")


@functools.cache
def known():
    return {"face": look()} | {name: data.photo(name, size=SIZE, grey=True)
                               for name in data.PHOTOS if name != "astronaut"}


def nearest_photo(picture):
    return min(known(), key=lambda name: ((picture - known()[name]) ** 2).sum())


def test_seven_changes_and_what_is_nearest():
    pytest.importorskip("skimage")
    row, col = np.indices((SIZE, SIZE))
    oval = np.hypot((row - 44) / 40, (col - 48) / 28) < 1
    (faces, is_face), _ = data.load_faces()
    seen = [look(tilt=0.008), look(zoom=1.6), 0.3 * look(), look(bend=5), np.where(col % 16 < 8, 0, look()),
            np.where(oval, look(), known()["coins"]), images.resize(faces[is_face == 1][2, 0].astype(float), (96, 96))]
    assert [nearest_photo(picture) for picture in seen] == ["face", "text", "rocket", "face", "rocket", "coins", "text"]
    changed = [f"{(abs(picture - look()) > 1 / 255).mean():.0%}" for picture in seen]
    assert changed == ["91%", "98%", "96%", "85%", "49%", "62%", "99%"]


@pytest.mark.parametrize("change, last, first, then", [
    ("right", 10, 12, "text"), ("turn", 25, 30, "text"), ("zoom", 1.3, 1.4, "text")])
def test_limits_of_the_sliders(change, last, first, then):
    assert [nearest_photo(look(**{change: value})) for value in (last, first)] == ["face", then]


def test_limits_of_the_light_and_of_all_together():
    assert [nearest_photo(light * look()) for light in (0.7, 0.6, 0.5, 0.2)] == ["face", "brick", "rocket", "rocket"]
    assert nearest_photo(0.8 * look(right=6, turn=15, zoom=1.2)) == "brick"
    assert nearest_photo(look(right=22, turn=35, zoom=1.6)) == "camera"


def test_the_square_multiplied_out():
    (x_train, _), (x_test, _) = digits()
    assert_close(quick_distances(x_test[:5], x_train), squared_distances(x_test[:5], x_train))


def test_nearest_neighbour_after_a_push_and_a_scrambling():
    (x_train, y_train), (x_test, y_test) = digits()
    found = [y_train[quick_distances(moved(x_test, step), x_train).argmin(axis=1)] for step in range(5)]
    assert [f"{np.mean(labels == y_test):.0%}" for labels in found] == ["99%", "97%", "82%", "61%", "35%"]
    again = quick_distances(scrambled(x_test), scrambled(x_train)).argmin(axis=1)
    np.testing.assert_array_equal(y_train[again], found[0])
    (x_known, y_known), (x_strangers, y_strangers) = digits("last")
    share = np.mean(y_known[quick_distances(x_strangers, x_known).argmin(axis=1)] == y_strangers)
    assert (f"{np.mean(found[0] == y_test):.1%}", f"{share:.1%}") == ("98.6%", "96.1%")


def test_all_pushes_tried():
    (x_train, y_train), (x_test, y_test) = digits()
    for push in (-4, 4):
        tries = [quick_distances(moved(moved(x_test, push), step), x_train) for step in range(-4, 5)]
        assert f"{np.mean(y_train[np.min(tries, axis=0).argmin(axis=1)] == y_test):.0%}" == "99%"


def test_a_push_loses_no_ink_and_a_roll_by_eight_does_not_keep_the_place():
    x_test = digits()[1][0]
    for step in range(-4, 5):
        assert_close(moved(x_test, step).sum(axis=(1, 2, 3)), x_test.sum(axis=(1, 2, 3)))
    assert np.roll(x_test, 8, axis=3)[:, 0, :, 0].any()  # ghosts on the left


def test_distances_in_eight_bits():
    (x_train, y_train), (x_test, y_test) = digits()
    known, asked = ((255 * x).round().astype(np.uint8).reshape(len(x), -1) for x in (x_train, x_test))
    labels = [y_train[((known - one) ** 2).sum(axis=1).argmin()] for one in asked]
    assert np.mean(np.array(labels) == y_test) < 0.986 - 0.1


def test_a_new_scrambling_for_each_picture_leaves_chance():
    (x_train, y_train), (x_test, y_test) = digits()
    rng = np.random.default_rng(0)
    each_its_own = [rng.permuted(x.reshape(len(x), -1), axis=1) for x in (x_train, x_test)]
    labels = y_train[quick_distances(each_its_own[1], each_its_own[0]).argmin(axis=1)]
    assert np.mean(labels == y_test) < 0.2


def test_scrambled_weights_learn_scrambled_scans_alike():
    (x_train, y_train), (x_test, _) = digits()
    plain, mixed = two_layers(np.random.default_rng(0)), two_layers(np.random.default_rng(0))
    mixed[1].weight.data[...] = plain[1].weight.data[:, ORDER]
    assert_close(mixed(scrambled(x_test)), plain(x_test))
    losses = [training.fit(net, (x, y_train), epochs=5, batch_size=64, optimizer=optim.Adam(net.parameters()),
                           callback=None).train_loss for net, x in ((plain, x_train), (mixed, scrambled(x_train)))]
    np.testing.assert_allclose(losses[1], losses[0], rtol=1e-5)  # float32, added in another order
    np.testing.assert_allclose(mixed[1].weight.data, plain[1].weight.data[:, ORDER], atol=1e-5)


def test_two_layers_with_nothing_between_are_one():
    rng = np.random.default_rng(1)
    (w1, b1), (w2, b2), x = ((rng.normal(size=(6, 5)), rng.normal(size=6)),
                             (rng.normal(size=(3, 6)), rng.normal(size=3)), rng.normal(size=5))
    assert_close(w2 @ (w1 @ x + b1) + b2, (w2 @ w1) @ x + (w2 @ b1 + b2))
    assert abs(w2 @ np.maximum(0, w1 @ x + b1) + b2 - (w2 @ w1 @ x + w2 @ b1 + b2)).max() > 0.1


@pytest.mark.parametrize("make", [linear_classifier, two_layers, cnn])
def test_what_a_push_does_to_a_trained_net(make):
    x, y = digits()[1]
    by_two = right(learnt(make), moved(x, 2), y)
    assert right(learnt(make), x, y) > 0.93
    assert by_two > 0.75 if make is cnn else by_two < 0.75
    assert right(learnt(make), moved(x, 4), y) < 0.75


@pytest.mark.parametrize("make", [linear_classifier, two_layers, cnn])
def test_what_a_scrambling_does_to_a_trained_net(make):
    (x_train, y_train), (x, y) = digits()
    net = trained(make, scrambled(x_train), y_train)
    assert right(learnt(make), x, y) - right(net, scrambled(x), y) < 0.03
    lost = right(learnt(make), moved(x, 2), y) - right(net, scrambled(moved(x, 2)), y)
    assert lost > 0.15 if make is cnn else abs(lost) < 0.1


def test_pushed_copies_teach_pushes_and_not_turns():
    transform = pytest.importorskip("skimage.transform")
    (x_train, y_train), (x, y) = digits()
    net = trained(cnn, x_train, y_train, augment=lambda x, rng: training.shift(x, 4, rng=rng))
    assert right(net, moved(x, 4), y) > 0.8 > right(learnt(cnn), moved(x, 4), y)
    turned = np.stack([transform.rotate(picture[0], 30)[None] for picture in x]).astype("float32")
    assert right(net, turned, y) < 0.75 and right(learnt(cnn), turned, y) < 0.75
    full = trained(two_layers, x_train, y_train, augment=lambda x, rng: training.shift(x, 4, rng=rng))
    assert right(full, moved(x, 4), y) > right(learnt(two_layers), moved(x, 4), y) + 0.3
    assert all(right(full, moved(x, step), y) < right(net, moved(x, step), y) for step in range(5))
    assert right(full, x, y) < right(learnt(two_layers), x, y) and right(net, x, y) < right(learnt(cnn), x, y)


def test_the_zero_wants_no_ink_in_its_middle():
    weights = learnt(linear_classifier)[1].weight.data.reshape(10, 28, 28)
    assert weights[0, 12:16, 12:16].mean() < 0


def test_where_no_scan_has_ink_nothing_is_learnt():
    weights = learnt(linear_classifier)[1].weight.data.reshape(10, 28, 28)
    at_first = linear_classifier(np.random.default_rng(0))[1].weight.data.reshape(10, 28, 28)
    np.testing.assert_array_equal(weights[:, :4], at_first[:, :4])
    assert abs(weights - at_first)[:, 4:-4, 4:-4].max() > 0.1


def test_printed_digits_are_read_when_prepared_as_the_scans_were():
    from matplotlib.font_manager import findfont
    from PIL import Image, ImageDraw, ImageFont

    pages, labels = np.ones((50, 28, 28), dtype="float32"), np.arange(50) % 10
    for k, font in enumerate(np.repeat(["Sans", "Sans:bold", "Sans Mono", "Serif", "Serif:italic"], 10)):
        sheet = Image.new("L", (100, 100), "white")
        ImageDraw.Draw(sheet).text((20, 15), str(k % 10), font=ImageFont.truetype(findfont(f"DejaVu {font}"), 44))
        pages[k] = images.resize(np.asarray(sheet) / 255, (28, 28))
    prepared = np.stack([images.fill_frame(page, margin=4) for page in 1 - pages])
    for make in (linear_classifier, two_layers, cnn):
        raw, inverted, ready = (right(learnt(make), shown[:, None], labels) for shown in (pages, 1 - pages, prepared))
        assert max(raw, inverted) < 0.4 < ready < 0.9
