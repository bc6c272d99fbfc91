"""The network viewer in Python: what it reads of a model, its numbers, its words, its refusals."""

import numpy as np
import pytest
from helpers import assert_close, lenet5

pytest.importorskip("anywidget")

from network_cases import drawing_of, nets, redrawn, seen_cases, small_net

from cnnlib import initializers, layers, losses, optim
from cnnlib.widgets import NetworkViewer, _network, _seen
from cnnlib.widgets._network import Network
from cnnlib.widgets._untrained import is_untrained
from cnnlib.widgets.network_viewer import shown

PICTURE = drawing_of(np.random.default_rng(3), (8, 8))


def test_activations_belong_to_the_stage_before():
    network = Network(lenet5(layers), (1, 32, 32))
    assert [stage.name for stage in network.stages] == ["c1", "s2", "c3", "s4", "c5", "f6", "output"]
    assert [stage.shape for stage in network.stages][:4] == [(6, 28, 28), (6, 14, 14), (16, 10, 10), (16, 5, 5)]
    assert network.known and sum(stage.multiply_adds for stage in network.stages) == 416_520
    seen = [_network.field_of(network.stages[:n], (1, 32, 32), 0, 0) for n in range(1, 8)]
    assert [[last - first + 1 for first, last in field] for field in seen] == [
        [5, 5], [6, 6], [14, 14], [16, 16], [32, 32], [32, 32], [32, 32]]
    assert _network.reads(network.stages[2], (6, 14, 14), 4, 5) == ((4, 8), (5, 9))
    assert network.stages[4].weight.shape == (120, 16, 5, 5)  # fully connected: a filter as large as the maps


def test_stages_without_names_are_counted():
    net = layers.Sequential(layers.Conv2d(1, 2, 3), layers.ReLU(), layers.MaxPool2d(2), layers.Conv2d(2, 2, 2),
                            layers.Flatten(), layers.Linear(8, 3))
    assert [stage.name for stage in Network(net, (1, 8, 8)).stages] == ["conv1", "pool1", "conv2", "fc1"]


def test_numbers_are_the_models_own():
    net = small_net()
    network = Network(net, (1, 8, 8))
    outs, x = network.forward(PICTURE[None]), PICTURE[None, None]
    for out, stage in zip(outs, ("relu", "pool", "relu2", "fc")):
        assert_close(out.ravel(), net.forward_to(x, stage).ravel())
    grads = network.backward(PICTURE[None], 2)
    net(x)
    for grad, stage in zip(grads[1:4], ("relu", "pool", "relu2")):
        assert_close(grad, net.backward(np.eye(5, dtype=np.float32)[2:3], down_to=stage)[0])
    assert_close(grads[0], net.backward(np.eye(5, dtype=np.float32)[2:3])[0])


def test_the_students_model_is_left_alone():
    net = small_net().train()
    weight = net["conv"].weight.data
    viewer = NetworkViewer(net, (1, 8, 8), drawing=PICTURE, direction="backward")
    viewer.sentence(), viewer.gradients()
    assert net.training and net["conv"].weight.grad is None and net["conv"]._kept is None
    before = viewer.logits.copy()
    weight *= 2
    viewer.drawing = PICTURE[::-1]
    viewer.drawing = PICTURE
    assert_close(viewer.logits, before)  # as it was when the viewer was made


def test_torch_gives_the_same():
    torch = pytest.importorskip("torch")
    from cnnlib import torch_layers

    ours, twin = small_net(), small_net(torch_layers)
    twin.load_state_dict(torch_layers.tensors(ours.state_dict()))
    plain = torch.nn.Sequential(*(torch.nn.ReLU(inplace=True) if isinstance(each, torch.nn.ReLU) else each
                                  for each in twin.children()))
    networks = [Network(model, (1, 8, 8)) for model in (ours, twin, plain)]
    for other in networks[1:]:
        assert other.known and other.is_torch
        for theirs, mine in zip(other.forward(PICTURE[None]), networks[0].forward(PICTURE[None])):
            assert_close(theirs, mine)
        for theirs, mine in zip(other.backward(PICTURE[None], 1), networks[0].backward(PICTURE[None], 1)):
            assert_close(theirs, mine)
    told, weights = networks[0].told()
    for other in networks[1:]:
        assert_close(other.told()[1], weights)
        assert [{**row, "name": ""} for row in other.told()[0]] == [{**row, "name": ""} for row in told]


def test_unknown_layers_go_to_python():
    nn = layers
    net = redrawn(nn.Sequential(nn.Conv2d(1, 2, 3, padding=1), nn.GELU(), nn.Residual(nn.Conv2d(2, 2, 1)), nn.Flatten(),
                                nn.Linear(2 * 64, 3)), 1)
    viewer = NetworkViewer(net, (1, 8, 8), drawing=PICTURE, selected=(1, 0, 0, 0))
    assert (viewer.computed_by, [stage.name for stage in viewer._network.stages]) == (
        "python", ["conv1", "stage1", "stage2", "fc1"])
    assert viewer.sentence().endswith("; what it reads is not known.")
    assert viewer._values.size == sum(out.size for out in viewer.outs()) == 2 * 64 * 3 + 3
    assert_close(viewer.logits, net(viewer._picture()[None])[0])
    answered = viewer._answered
    viewer.drawing = PICTURE.T
    assert viewer._answered == answered + 1
    viewer.target = 2
    assert_close(viewer._gradients[-3:], np.float32([0, 0, 1]))


def test_much_work_goes_to_python():
    net = layers.Sequential(layers.Conv2d(1, 64, 3, padding=1), layers.Conv2d(64, 64, 3, padding=1), layers.Flatten(),
                            layers.Linear(64 * 32 * 32, 2))
    assert sum(stage.multiply_adds for stage in Network(net, (1, 32, 32)).stages) > _network.MOST
    assert NetworkViewer(net, (1, 32, 32)).computed_by == "python"
    assert NetworkViewer(small_net(), (1, 8, 8), engine="python").computed_by == "python"


def test_words():
    viewer = NetworkViewer(small_net(), (1, 8, 8), drawing=PICTURE, fit="drawn", labels=["a", "b", "c", "d", "e"])
    shares = np.exp(viewer.logits.astype(float)) / np.exp(viewer.logits.astype(float)).sum()
    first, second = np.argsort(-shares)[:2]
    assert viewer.sentence() == (f"{'abcde'[first]}, {100 * shares[first]:.0f} percent; next {'abcde'[second]}, "
                                 f"{100 * shares[second]:.0f} percent.")
    viewer.selected = [2, 3, 1, 0]
    value = viewer.outs()[2][3, 1, 0]
    assert viewer.sentence().startswith(viewer.sentence().partition(" deep")[0] + f" deep, map 3, row 1, column 0: "
                                        f"{value:.2f}".rstrip("0").rstrip("."))
    assert "reads pool rows 1 to 3, columns 0 to 2; sees 7×7 pixels." in viewer.sentence()
    viewer.drawing = np.zeros((8, 8))
    assert viewer.sentence().startswith("Nothing is drawn; the biases alone say ")
    viewer.direction, viewer.target = "backward", 4
    assert viewer.sentence().startswith("What changes the score of e, ") and ": gradient " in viewer.sentence()
    viewer.predict = True
    assert viewer.sentence() == "Draw, and say what the network will answer."


@pytest.mark.parametrize("selected, words", [
    ((0, 0, 0, 0), "reads the input rows 0 to 1, columns 0 to 1; sees 2×2 pixels."),
    ((0, 0, 0, 3), "reads the input rows 0 to 1, columns 2 to 4; sees 2×3 pixels."),
    ((0, 0, 3, 3), "reads the input rows 2 to 4, columns 2 to 4; sees 3×3 pixels."),
    ((1, 0, 0, 3), "reads conv rows 0 to 1, columns 6 to 7; sees 3×3 pixels.")])  # 4×4 within
def test_at_the_rim_a_unit_sees_less(selected, words):
    assert words in NetworkViewer(small_net(), (1, 8, 8), drawing=PICTURE, selected=selected).sentence()


def test_a_silent_map_is_said():
    net = small_net()
    net["conv"].weight.data[1], net["conv"].bias.data[1] = -1, 0
    viewer = NetworkViewer(net, (1, 8, 8), drawing=PICTURE, selected=(0, 1, 2, 2))
    assert "row 2, column 2: 0, as everywhere in this silent map, from 9 products and a bias with" in viewer.sentence()


def fresh_net(nn, **options):
    return nn.Sequential(nn.Conv2d(1, 4, 3, padding=1, **options), nn.BatchNorm2d(4), nn.ReLU(), nn.MaxPool2d(2),
                         nn.Flatten(), nn.Linear(64, 5, **options))


def test_a_net_that_has_learnt_nothing_says_so():
    net = fresh_net(layers, rng=np.random.default_rng(0))
    viewer = NetworkViewer(net, (1, 8, 8), drawing=PICTURE)
    assert viewer.sentence().startswith("Random weights. ") and viewer._fresh
    viewer.trained = True
    assert not viewer.sentence().startswith("Random")
    x, y = np.stack([PICTURE, PICTURE.T])[:, None], np.array([1, 3])
    optimizer = optim.SGD(net.parameters(), lr=0.1)
    out = net(x)
    net.backward(losses.cross_entropy_backward(1.0, out, y)[0])
    optimizer.step()
    assert not is_untrained(net)
    assert not NetworkViewer(net, (1, 8, 8), drawing=PICTURE).sentence().startswith("Random")
    assert NetworkViewer(net, (1, 8, 8), trained=False).sentence().startswith("Random weights. Nothing is drawn")


@pytest.mark.parametrize("optimizer", ["SGD", "Adam"])
def test_one_step_of_torchs_is_enough_to_be_no_longer_random(optimizer):
    torch = pytest.importorskip("torch")
    torch.manual_seed(0)
    net = fresh_net(torch.nn)
    assert is_untrained(net)
    x, y = torch.from_numpy(np.stack([PICTURE, PICTURE.T])[:, None]), torch.tensor([1, 3])
    torch.nn.functional.cross_entropy(net.eval()(x), y).backward()  # eval: the running averages stay
    getattr(torch.optim, optimizer)(net.parameters(), lr=0.01 if optimizer == "SGD" else 0.001).step()
    assert not is_untrained(net)


@pytest.mark.parametrize("draw", ["he_normal", "he_uniform", "glorot_uniform", "glorot_normal"])
def test_the_courses_own_draws_are_known_until_the_first_step(draw):
    net = initializers.redraw(fresh_net(layers), getattr(initializers, draw), np.random.default_rng(1))
    assert is_untrained(net)
    net[5].bias.data[3] = 1e-6
    assert not is_untrained(net)


def test_what_was_drawn_in_another_way_is_not_called_random():
    """It cannot know; a label that is guessed would be wrong of somebody's trained net one day."""
    assert not is_untrained(small_net())
    assert not is_untrained(layers.Sequential(layers.Flatten(), layers.Linear(4, 2)))  # ten numbers say nothing
    torch = pytest.importorskip("torch")
    assert not is_untrained(torch.nn.Sequential(torch.nn.Linear(64, 8), torch.nn.MultiheadAttention(8, 2)))


def many_maps():
    nn = layers
    return redrawn(nn.Sequential({"conv": nn.Conv2d(1, 40, 3), "relu": nn.ReLU(), "pool": nn.AdaptiveAvgPool2d(1),
                                  "flatten": nn.Flatten(), "fc": nn.Linear(40, 3)}), 1)


def test_every_map_is_on_one_page():
    viewer = NetworkViewer(many_maps(), (1, 8, 8), drawing=PICTURE, pages={"conv": 2})
    conv, pages = viewer.outs()[0], [shown(viewer.outs()[0], k) for k in range(3)]
    assert sorted(np.concatenate(pages)) == list(range(40)) and [len(page) for page in pages] == [16, 16, 8]
    strength = conv.max(axis=(1, 2))
    assert strength[pages[0]].min() >= strength[pages[1]].max() >= strength[pages[1]].min() >= strength[pages[2]].max()
    assert viewer.code().endswith("pages={\"conv\": 2})")
    first = NetworkViewer(many_maps(), (1, 8, 8), drawing=PICTURE)
    assert first.picture() != viewer.picture()


def test_the_products_of_one_map_are_said():
    viewer = NetworkViewer(small_net(), (1, 8, 8), drawing=PICTURE, selected=(2, 3, 1, 0), channel=2)
    stage = viewer._network.stages[2]
    window = viewer.outs()[1][:, 1:4, 0:3].astype(float)
    sums = (window * stage.weight[3]).sum((1, 2))
    assert f"with sum {sums.sum() + stage.bias[3]:.2f} (map 2 of pool: {sums[2]:.2f})".replace("-", "−") in (
        viewer.sentence())
    viewer.channel = 99
    assert f"(map 3 of pool: {sums[3]:.2f}".replace("-", "−").rstrip("0") in viewer.sentence()
    viewer.channel = None
    largest = abs(sums).argmax()
    assert largest and f"(map {largest} of pool: {sums[largest]:.2f}".replace("-", "−") in viewer.sentence()


@pytest.mark.parametrize("settings, drawing, expected", [
    (dict(fit="drawn", margin=0, grain=1), np.eye(4), np.eye(4)),
    (dict(fit="framed", margin=0, grain=1), np.pad([[1.0]], ((1, 2), (2, 1))), None),
    (dict(fit="framed", margin=0, grain=1), np.zeros((4, 4)), np.zeros((4, 4))),
    (dict(fit="drawn", margin=0, grain=4), np.eye(4), np.full((4, 4), 0.25)),
])
def test_seen(settings, drawing, expected):
    out = _seen.seen(drawing, **settings)
    if expected is None:  # one pixel, enlarged to the whole frame, brightest in the middle
        assert np.allclose(out, out[::-1]) and np.allclose(out, out.T) and out[1, 1] == out.max() > out[0, 0] > 0
    else:
        assert_close(out, np.float32(expected))


def test_framed_fills_the_frame():
    drawing = np.zeros((12, 10))
    drawing[2:6, 3:5] = 1
    out = _seen.seen(drawing, "framed", 1, 1)
    assert (np.flatnonzero(out.max(axis=1) > 0.5)[[0, -1]] == [1, 10]).all()
    assert (np.flatnonzero(out.max(axis=0) > 0.5)[[0, -1]] == [3, 6]).all()  # 5 wide, 2.5 on either side
    for setting, each, seen in seen_cases(np.random.default_rng(0)):
        assert seen.shape == each.shape and seen.min() >= 0 and seen.max() <= 1 + 1e-6, setting


@pytest.mark.parametrize("change, error, words", [
    (dict(input_shape=(1, 12, 12)), ValueError, r"`input_shape` \(1, 12, 12\): fc, Linear, got shape \(1, 96\)"),
    (dict(input_shape=(2, 8, 8)), ValueError, r"`input_shape` \(2, 8, 8\): conv, Conv2d, got shape \(1, 2, 8, 8\)"),
    (dict(drawing=np.zeros((7, 8))), ValueError, r"`drawing` has shape \(7, 8\); the pad has \(8, 8\)"),
    (dict(target=5), ValueError, "`target` is 5; the classes are 0 to 4"),
    (dict(labels=["a"]), ValueError, "`labels` are 1; there are 5 classes"),
    (dict(margin=4), ValueError, "`margin` is 4; a frame of 8×8 has 0 to 3"),
    (dict(grain=3), ValueError, "`grain` is 3; it must divide 8 and 8"),
    (dict(selected=(0, 4, 0, 0)), ValueError, r"`selected` is \(0, 4, 0, 0\); there is no such unit: .* 0 to 3"),
    (dict(pages={"conv": 1}), ValueError, "`pages` has 'conv': 1; the pages of conv are 0 to 0"),
    (dict(pages={"convo": 0}), ValueError, "`pages` has 'convo': 0; the stages are conv, pool, deep, fc"),
    (dict(scans=np.zeros((2, 7, 8))), ValueError, r"`scans` has shape \(2, 7, 8\); it must be \(N, 8, 8\), N at most"),
])
def test_errors(change, error, words):
    with pytest.raises(error, match=words):
        NetworkViewer(small_net(), **{"input_shape": (1, 8, 8), **change})


def test_what_is_no_model():
    with pytest.raises(TypeError, match=r"give a network, Sequential\(…\)"):
        NetworkViewer(layers.Sequential)
    with pytest.raises(TypeError, match="`model` is 3; it must be a layer or a net"):
        NetworkViewer(3)
    with pytest.raises(ValueError, match=r"ends in shape \(2, 6, 6\); it must end in a score for each class"):
        NetworkViewer(layers.Conv2d(1, 2, 3), (1, 8, 8))
    with pytest.raises(ValueError, match="at most 64×64 pixels"):
        NetworkViewer(layers.Sequential(layers.Flatten(), layers.Linear(65 * 65, 2)), (1, 65, 65))


def test_every_known_kind_is_known():
    for net, shape in nets():
        assert Network(net, shape).known, net


def test_a_net_whose_weights_are_no_numbers_says_so():
    net = small_net()
    list(net.parameters())[2].data[2, 1, 0, :2] = np.nan, np.inf
    for direction in ("forward", "backward"):
        viewer = NetworkViewer(net, (1, 8, 8), drawing=np.ones((8, 8)), direction=direction)
        assert viewer.sentence() == "The scores are no numbers: weights that are NaN or infinite in deep (2)."
        assert viewer.picture()[:4] == b"\x89PNG"


def test_a_net_that_overflows_says_so():
    net = small_net()
    list(net.parameters())[0].data[...] = 3e38
    viewer = NetworkViewer(net, (1, 8, 8), drawing=np.ones((8, 8)))
    assert viewer.sentence() == "The scores are no numbers: they grew too large on the way."
