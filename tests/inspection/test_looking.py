"""Activations, saliency, Grad-CAM, occlusion, deconvnet: by hand, by formulas, and one engine against another."""

import numpy as np
import pytest
from helpers import assert_close
from trainees import needs_torch

from cnnlib import _array, activations, conv, images, inspection, layers
from cnnlib.inspection._engine import class_gradient


def net_of(nn):
    """Return a small net of either engine: two convolutions, a pooling with overlap, response norm and dropout."""
    return nn.Sequential({
        "conv1": nn.Conv2d(3, 4, 3, stride=2, padding=1), "relu1": nn.ReLU(), "pool1": nn.MaxPool2d(3, 2, padding=1),
        "norm1": nn.LocalResponseNorm(3, alpha=0.1), "conv2": nn.Conv2d(4, 6, 3), "relu2": nn.ReLU(),
        "flatten": nn.Flatten(), "drop": nn.Dropout(0.5), "fc": nn.Linear(6 * 2 * 2, 5)})


@pytest.fixture
def ours(rng):
    return net_of(layers).reset_parameters(rng).to("float64")


@pytest.fixture
def x(rng):
    return rng.standard_normal((2, 3, 16, 16))


def twin_of(ours):
    """Return the net of torch with the same weights."""
    import torch

    from cnnlib import torch_layers
    twin = net_of(torch_layers).double()
    twin.load_state_dict({name: torch.tensor(a) for name, a in ours.state_dict().items()})
    return twin


def looks(net, x):
    """Return all that is asked of a net, by name."""
    probability, winner = inspection.occlusion(net, x[0], 1, 5, 3, "blur", batch_size=7)
    found = inspection.activations(net, x, ["relu1", "conv2", "fc"])
    return found | {
        "saliency": inspection.saliency(net, x, [1, 4]), "cam": inspection.grad_cam(net, x, 3, "relu2"),
        "large": inspection.grad_cam(net, x, 3, "relu2", (16, 16)), "probability": probability, "winner": winner,
        "noise": inspection.occlusion(net, x[0], 1, 5, 3, "noise", rng=np.random.default_rng(1))[0],
        "mean": inspection.occlusion(net, x[0], 1, 5, 3, "mean")[0],
        "unit": inspection.deconvnet(net, x[0], "relu2", 2),
        "corner": inspection.deconvnet(net, x[0], "conv2", 1, (0, 1))}


@needs_torch
def test_both_engines_and_tensors_agree(ours, x):
    import torch

    numpy, twin = looks(ours, x), looks(twin_of(ours), torch.tensor(x))
    tensors = looks(ours.to("cpu"), torch.tensor(x))
    assert abs(numpy["unit"]).max() > 0 and numpy["cam"].max() > 0
    for name, expected in numpy.items():
        for found in (twin[name], tensors[name]):
            assert isinstance(found, torch.Tensor) and not found.requires_grad, name
            assert_close(found, expected)


DEEP = {  # a small form in tests/nets.py: stages that are weighed, the last that deconvnet goes back from
    "resnet18": (["conv1", "conv3_x", "conv4_x.conv4_2", "conv4_x.conv4_2.residual.body", "conv5_x.conv5_1.relu",
                  "conv3_x.conv3_1.residual.shortcut", "conv4_x.conv4_1.residual.body.conv1"], "conv1"),
    "googlenet, heads": (["conv2", "inception3a", "inception4b.5x5", "trunk.inception5b", "inception5b",
                          "inception5b.pool.conv"], "conv2"),
}


@needs_torch
@pytest.mark.parametrize("name", DEEP)
def test_both_engines_look_into_nets_with_shortcuts_branches_and_heads(name, rng):
    """All that `looks` asks of a chain, at stages below dots; a net with heads answers to the paper's names."""
    import torch
    from nets import SMALL
    from passes import drawn, with_weights

    factory, (channels, *_) = SMALL[name]
    stages, last = DEEP[name]
    ours = drawn(factory, rng).to("float64")
    x = rng.standard_normal((2, channels, 64, 70))
    found = []
    for net, pictures in ((ours, x), (with_weights(factory, ours.state_dict(), "float64"), torch.tensor(x))):
        seen = inspection.activations(net, pictures, stages) | {
            f"cam {stage}": inspection.grad_cam(net, pictures, [1, 4], stage) for stage in stages} | {
            f"slope {stage}": class_gradient(net, pictures, [1, 4], stage)[1] for stage in stages}
        seen["probability"], seen["winner"] = inspection.occlusion(net, pictures[0], 1, 30, 20)
        seen["saliency"] = inspection.saliency(net, pictures, 3)
        seen["unit"] = inspection.deconvnet(net, pictures[0], last, 2)
        found.append(seen)
        with pytest.raises(ValueError, match="no stage 'conv9'; there are conv1"):
            inspection.grad_cam(net, pictures, 0, "conv9")
    for what, expected in found[1].items():
        assert abs(expected).max() > 0 or what.startswith("cam"), what  # all of a map may speak against a class
        assert_close(found[0][what], expected, 1e-9)  # through some twenty layers


@pytest.mark.parametrize("engine", ["ours", pytest.param("torch", marks=needs_torch)])
def test_heads_rest_while_one_looks(engine):
    from nets import SMALL

    net, x = SMALL["googlenet, heads"][0](**({"nn": layers} if engine == "ours" else {})), np.zeros((1, 3, 40, 40))
    x = x.astype("float32")
    if engine == "torch":
        import torch
        x = torch.tensor(x)
    for look in (lambda: inspection.activations(net, x, ["aux1.conv"]),
                 lambda: inspection.grad_cam(net, x, 0, "aux1.conv")):
        with pytest.raises(ValueError, match="stage 'aux1.conv' does not run in evaluation"):
            look()
    assert all(module.training for module in net.modules())


def test_the_net_is_left_as_it_was(ours, x):
    ours.conv1.weight.grad = before = np.ones_like(ours.conv1.weight.data)
    ours.relu1.eval()
    looks(ours, x)
    assert ours.conv1.weight.grad is before and ours.fc.weight.grad is None
    assert ours.drop.training and not ours.relu1.training and "forward" not in vars(ours.relu1)


def test_activations_are_those_of_each_stage_also_below_dots(ours, x):
    found = inspection.activations(ours, x, ["pool1", "relu1"])
    assert list(found) == ["pool1", "relu1"]
    assert_close(found["relu1"], ours.forward_to(x, "relu1"))
    assert_close(found["pool1"], ours.forward_to(x, "pool1"))
    nested = layers.Sequential({"features": layers.Sequential({"relu": layers.ReLU()})})
    assert_close(inspection.activations(nested, x, ["features.relu"])["features.relu"], np.maximum(x, 0))


@needs_torch
def test_activations_are_those_before_a_layer_that_writes_over_its_input():
    import torch

    net = torch.nn.Sequential(torch.nn.Conv2d(1, 1, 1, bias=False), torch.nn.ReLU(inplace=True)).double()
    net[0].weight.data[:] = -1.0
    x = torch.ones(1, 1, 2, 2, dtype=torch.float64)
    assert_close(inspection.activations(net, x, ["0"])["0"], -x)


@needs_torch
def test_saliency_is_autograd(ours, x):
    import torch

    tensor = torch.tensor(x, requires_grad=True)
    scores = twin_of(ours).eval()(tensor)
    (scores[0, 1] + scores[1, 4]).backward()
    assert_close(inspection.saliency(ours, x, np.array([1, 4])), tensor.grad.abs().amax(1))


def test_grad_cam_is_the_formula(ours, x):
    cam = inspection.grad_cam(ours, x, [3, 0], "relu2")
    maps = ours.eval().forward_to(x, "relu2")
    slopes = ours.fc.weight.data[[3, 0]].reshape(2, 6, 4).mean(2)  # after relu2 the score is linear
    expected = np.maximum(np.einsum("nk,nkij->nij", slopes, maps), 0)
    assert_close(cam, expected)
    assert (expected > 0).any() and cam.shape == (2, 2, 2)
    large = inspection.grad_cam(ours, x, [3, 0], "relu2", (7, 9))
    assert_close(large, np.stack([images.resize(one, (7, 9)) for one in expected]))


class OneSquare(layers.Module):
    """Class 1's score is the sum of rows 8 to 15 and columns 12 to 19, times a number; class 0's is 0."""

    def forward(self, x):
        score = x[:, :, 8:16, 12:20].sum((1, 2, 3)) * 0.02
        return _array.library(x=x).stack([score * 0, score], 1)


def test_occlusion_is_lowest_where_the_net_looks(array):
    x = array(np.ones((2, 24, 32)))
    probability, winner = inspection.occlusion(OneSquare(), x, 1, 8, 4, 0, batch_size=5)
    assert tuple(probability.shape) == (5, 7)
    assert divmod(int(probability.argmin()), 7) == (2, 3)
    # the patch at (i, j) covers so many rows and columns of the square
    rows = np.maximum(0, 8 - abs(np.arange(0, 17, 4) - 8))
    cols = np.maximum(0, 8 - abs(np.arange(0, 25, 4) - 12))
    left = 2 * (64 - np.outer(rows, cols)) * 0.02
    assert_close(probability, 1 / (1 + np.exp(-left)))
    assert_close(winner, (left > 0).astype("int64"))


def test_what_covers():
    x = np.stack([np.full((4, 4), 0.2), np.arange(16.0).reshape(4, 4)])

    class Seen(layers.Module):
        def forward(self, batch):
            self.batch = batch
            return batch[:, :, 0, 0]

    net = Seen()
    expected = {"grey": (0.5, 0.5), "mean": (0.2, 7.5), "blur": (0.2, 2.5), 3: (3, 3)}
    for fill, (first, second) in expected.items():
        inspection.occlusion(net, x, 0, 2, 2, fill)
        assert_close(net.batch[0, :, 0, 0], np.array([first, second], dtype=float))
        assert_close(net.batch[0, :, 2:], x[:, 2:])
    inspection.occlusion(net, x, 0, 2, 2, "noise", rng=np.random.default_rng(0))
    assert net.batch[0, 0, :2, :2].std() < 1e-12 < net.batch[0, 1, :2, :2].std()  # the first channel has no spread


def test_deconvnet_of_one_convolution_is_its_filter_at_the_unit(rng, array):
    net = layers.Sequential({"conv": layers.Conv2d(2, 3, 3, stride=2, padding=1, rng=rng)}).to("float64")
    weight, x = net.conv.weight.data, rng.standard_normal((2, 9, 9))
    activation = net(x[None])[0, 1, 2, 3]
    expected = np.zeros((2, 9, 9))
    expected[:, 3:6, 5:8] = activation * weight[1]  # unit (2, 3) sees from row 2 * 2 - 1, column 2 * 3 - 1
    if _array.is_torch(array(x)):
        net.to("cpu")
    assert_close(inspection.deconvnet(net, array(x), "conv", 1, (2, 3)), expected)


def test_deconvnet_puts_values_only_at_the_switches(rng):
    net = layers.Sequential({"pool": layers.MaxPool2d(2), "conv": layers.Conv2d(1, 1, 3, padding=1, rng=rng)})
    net.to("float64")
    x = rng.standard_normal((1, 8, 8))
    projection = inspection.deconvnet(net, x, "conv", 0, (1, 1))
    cells = x.reshape(4, 2, 4, 2)
    switches = (cells == cells.max((1, 3), keepdims=True)).reshape(1, 8, 8)
    switches[:, 6:] = switches[:, :, 6:] = False  # the unit sees 3 x 3 cells
    np.testing.assert_array_equal(projection != 0, switches)


def test_deconvnet_rectifies_the_signal_on_its_way_down_and_not_by_the_picture():
    net = layers.Sequential({"one": layers.Conv2d(1, 1, 1, bias=False), "relu": layers.ReLU(),
                             "two": layers.Conv2d(1, 1, (1, 3), bias=False)})
    net.to("float64").one.weight.set(np.ones((1, 1, 1, 1)))
    net.two.weight.set(np.array([[[[2.0, -1.0, 3.0]]]]))
    x = np.array([[[5.0, 1.0, -4.0]]])  # relu gives 5, 1, 0: the unit is 9
    assert_close(inspection.deconvnet(net, x, "two", 0), np.array([[[18.0, 0.0, 27.0]]]))
    scores = layers.Sequential(*net, layers.Flatten())
    assert_close(inspection.saliency(scores, x[None], 0), np.array([[[2.0, 1.0, 0.0]]]))


def test_deconvnet_passes_response_norm_and_sequentials(ours, x):
    parts = dict(ours.named_children())
    nested = layers.Sequential({"features": layers.Sequential(dict(list(parts.items())[:6]))})
    plain = layers.Sequential(dict(list(parts.items())[:6]))
    expected = inspection.deconvnet(plain, x[0], "relu2", 2)
    for stage in ("features", "features.relu2"):
        assert_close(inspection.deconvnet(nested, x[0], stage, 2), expected)
    conv2, seen = plain.conv2, plain.forward_to(x[:1], "norm1")
    out = activations.relu(conv2(seen))
    signal = np.zeros_like(out)
    signal[0, 2].flat[out[0, 2].argmax()] = out[0, 2].max()
    below, _, _ = conv.conv2d_backward(signal, seen, conv2.weight.data)
    pooled = plain.pool1  # passes `below` on as it is, in spite of norm1
    plain.forward_to(x[:1], "pool1")
    below = np.maximum(pooled.backward(below), 0)
    by_hand, _, _ = conv.conv2d_backward(below, x[:1], plain.conv1.weight.data, stride=2, padding=1)
    assert_close(expected, by_hand[0])


@pytest.mark.parametrize(("call", "error", "message"), [
    (lambda net, x: inspection.activations(net, x, ["relu9"]), ValueError, "no stage 'relu9'; there are conv1, relu1"),
    (lambda net, x: inspection.activations(net, x, "relu1"), TypeError, r"`stages` is 'relu1'; .* \['relu1'\]"),
    (lambda net, x: inspection.activations(len, x, ["relu1"]), TypeError, "`net` is builtin_function_or_method"),
    (lambda net, x: inspection.saliency(net, x[0], 0), ValueError, r"`x` has shape \(3, 16, 16\)"),
    (lambda net, x: inspection.saliency(net, x, 5), ValueError, "`target` is 5; the net's classes are 0 to 4"),
    (lambda net, x: inspection.saliency(net, x, -1), ValueError, "`target` is -1; the net's classes are 0 to 4"),
    (lambda net, x: inspection.saliency(net, x, [1, 2, 3]), ValueError, r"`target` has shape \(3,\) .* 2 ints"),
    (lambda net, x: inspection.grad_cam(net, x, 0, "fc"), ValueError, r"`stage` 'fc' gives shape \(2, 5\)"),
    (lambda net, x: inspection.occlusion(net, x, 0), ValueError, r"`x` has shape \(2, 3, 16, 16\); .* \(C, H, W\)"),
    (lambda net, x: inspection.occlusion(net, x[0], 0, 17), ValueError, r"`patch` is \(17, 17\); .* \(16, 16\)"),
    (lambda net, x: inspection.occlusion(net, x[0], 0, fill="black"), ValueError, "`fill` is 'black'; .* 'noise'"),
    (lambda net, x: inspection.deconvnet(net, x[0], "fc", 0), ValueError, "stage 'flatten' is a Flatten, .* 'fc'"),
    (lambda net, x: inspection.deconvnet(net, x[0], "conv9", 0), ValueError, "no stage 'conv9'; there are conv1"),
    (lambda net, x: inspection.deconvnet(net, x[0], "conv2", 6), ValueError, "`channel` is 6; .* channels 0 to 5"),
    (lambda net, x: inspection.deconvnet(net, x[0], "conv2", 0, (2, 0)), ValueError, r"`unit` is \(2, 0\); .* 2 x 2"),
    (lambda net, x: inspection.deconvnet(layers.ReLU(), x[0], "0", 0), TypeError, "`net` is ReLU; it must be a Seq"),
])
def test_errors(ours, x, call, error, message):
    with pytest.raises(error, match=message):
        call(ours, x)


@needs_torch
def test_errors_of_torch(ours, x):
    import torch

    with pytest.raises(TypeError, match="`x` is a NumPy array; .* torch.from_numpy"):
        inspection.saliency(twin_of(ours), x, 0)
    circular = torch.nn.Sequential(torch.nn.Conv2d(3, 1, 3, padding=1, padding_mode="circular"))
    with pytest.raises(ValueError, match="stage '0' has padding_mode 'circular'"):
        inspection.deconvnet(circular, torch.ones(3, 4, 4), "0", 0)


@needs_torch
def test_deconvnet_leaves_the_picture_to_a_layer_that_writes_over_its_input():
    import torch

    x = torch.tensor([[[-1.0, 2.0]]], dtype=torch.float64)
    net = torch.nn.Sequential(torch.nn.ReLU(inplace=True))
    assert_close(inspection.deconvnet(net, x, "0", 0), np.array([[[0.0, 2.0]]]))
    assert_close(x, np.array([[[-1.0, 2.0]]]))
