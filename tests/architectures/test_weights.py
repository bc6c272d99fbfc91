"""Weights that were published: every key of torchvision's nets has its place here, in both engines.

torchvision_keys.json holds the names and shapes of torchvision 0.29's state_dicts, in their order.
"""

import json
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from helpers import assert_close
from nets import SMALL

from cnnlib import architectures as a
from cnnlib import layers
from cnnlib.architectures import load_torchvision_weights
from cnnlib.architectures.weights import torchvision_names

KEYS = json.loads((Path(__file__).parent / "torchvision_keys.json").read_text())
LOGITS = 1e-4  # float32

FACTORIES = {  # name in torchvision: factory
    "alexnet": a.alexnet,
    **{f"vgg{depth}{suffix}": partial(a.vgg, letter, batch_norm=bool(suffix))
       for depth, letter in ((11, "A"), (13, "B"), (16, "D"), (19, "E")) for suffix in ("", "_bn")},
    "googlenet": partial(a.googlenet, aux=True, variant="torchvision"),
    **{f"resnet{depth}": partial(a.resnet, depth, variant="torchvision") for depth in (18, 34, 50, 101, 152)},
}
# One of each kind, on 64 x 64 pixels; VGG with its 133 million weights takes too long for every run.
RUN = ("alexnet", pytest.param("vgg11_bn", marks=pytest.mark.slow), "googlenet", "resnet18", "resnet50")


def build(name):
    with layers.without_weights():
        return FACTORIES[name](nn=layers)


def drawn(name, rng):
    """Return arrays of torchvision's names and shapes, such that no layer's numbers vanish."""
    def one(key, shape):
        if key.endswith("num_batches_tracked"):
            return np.array(7)
        if key.endswith("running_var"):
            return rng.uniform(0.5, 1.5, shape).astype("float32")
        if len(shape) > 1:
            return (rng.standard_normal(shape, dtype="float32") * np.float32(np.sqrt(2 / np.prod(shape[1:]))))
        return (rng.standard_normal(shape) * 0.1 + key.endswith("weight")).astype("float32")
    return {key: one(key, tuple(shape)) for key, shape in KEYS[name]}


@pytest.mark.parametrize("name", KEYS)
def test_every_key_has_its_place_and_its_shape(name):
    model = build(name)
    names = torchvision_names(model)
    own = {key: holder.data for key, holder in model._named(layers.Parameter, layers.Buffer)}
    assert sorted(names.values()) == sorted(key for key, _ in KEYS[name])  # each once
    shapes = dict(KEYS[name])
    assert {name: tuple(shapes[key]) for name, key in names.items()} == {
        name: tuple(np.shape(value)) for name, value in own.items()}


def test_torchvisions_order_is_ours():
    """The names were matched by meaning; that they also come in the same order is a second witness."""
    for name in ("alexnet", "vgg16", "vgg16_bn", "resnet18", "resnet50"):
        assert list(torchvision_names(build(name)).values()) == [key for key, _ in KEYS[name]]


@pytest.mark.parametrize("name", RUN)
def test_both_engines_load_them_and_agree(name, rng):
    torch = pytest.importorskip("torch")
    arrays = drawn(name, rng)
    ours = load_torchvision_weights(build(name), arrays).eval()
    theirs = load_torchvision_weights(FACTORIES[name](), {k: torch.tensor(v) for k, v in arrays.items()}).eval()
    assert all(np.array_equal(value, theirs.state_dict()[key].numpy()) for key, value in ours.state_dict().items())
    x = rng.standard_normal((1, 3, 64, 64)).astype("float32")
    with torch.no_grad():
        expected = theirs(torch.tensor(x))
    assert expected.shape == (1, 1000) and expected.std() > 1e-3
    assert_close(ours(x), expected.numpy(), LOGITS)


def test_googlenets_untrained_heads_are_left_out_where_there_are_none(rng):
    with layers.without_weights():
        model = a.googlenet(variant="torchvision", nn=layers)
    arrays = drawn("googlenet", rng)
    load_torchvision_weights(model, arrays)
    np.testing.assert_array_equal(model.state_dict()["inception4e.5x5.conv.weight"],
                                  arrays["inception4e.branch3.1.conv.weight"])


def test_what_does_not_fit_is_named(rng):
    arrays = drawn("resnet18", rng)
    small = a.resnet(18, 10, nn=layers)
    with pytest.raises(ValueError, match=r"'fc.weight' of shape \(1000, 512\); 'fc.weight' here has shape \(10, 512\)"):
        load_torchvision_weights(small, arrays)
    model = build("resnet18")
    without = {key: value for key, value in arrays.items() if not key.startswith("layer1.0.conv1")}
    with pytest.raises(ValueError, match="lacks 'layer1.0.conv1.weight', which is 'conv2_x.conv2_1.residual.body.conv"):
        load_torchvision_weights(model, without)
    with pytest.raises(ValueError, match="`state_dict` has 'layer9.weight', for which there is no place"):
        load_torchvision_weights(model, {**arrays, "layer9.weight": arrays["fc.weight"]})
    assert not np.ptp(model.conv1.weight.data)  # nothing has been copied


def test_a_variant_that_computes_something_else_is_refused():
    """The paper's ResNet-50 has the same shapes, and its stride elsewhere."""
    for build_it in (a.resnet, a.se_resnet):
        with pytest.raises(ValueError, match="stride in the 1x1.*variant='torchvision'"):
            torchvision_names(build_it(50, width=1 / 16, nn=layers))
    with pytest.raises(ValueError, match="weights are published for alexnet"):
        torchvision_names(layers.Sequential({"conv": layers.Conv2d(1, 1, 1)}))
    with pytest.raises(ValueError, match="lacks|shape|no place"):
        load_torchvision_weights(a.googlenet(width=1 / 16, nn=layers), drawn("googlenet", np.random.default_rng(0)))


@pytest.mark.parametrize("engine", ["ours", "torch"])
@pytest.mark.parametrize("name", SMALL)
def test_every_net_says_what_does_not_fit(name, engine):
    """No weights at all: the first key is named where torchvision publishes the kind, and else the kinds that are."""
    if engine == "torch":
        pytest.importorskip("torch")
    model = SMALL[name][0](**({"nn": layers} if engine == "ours" else {}))
    kind = name.rstrip("0123456789_").partition(" ")[0]
    published = r"`state_dict` lacks '\w+\.[\w.]+', which is '[\w.]+' here; it has 0 keys$"
    other = "weights are published for alexnet, vgg, googlenet and resnet"
    message = (r"stride in the 1x1 .* are published for resnet\(" if name in ("resnet50", "se_resnet50") else
               other if kind in ("lenet", "densenet", "mobilenet", "convnext_tiny") else published)
    with pytest.raises(ValueError, match=message):
        load_torchvision_weights(model, {})


def test_files_without_counters_load(rng):
    """Those from before torch 0.4.1."""
    arrays = {key: value for key, value in drawn("resnet18", rng).items() if "num_batches" not in key}
    assert load_torchvision_weights(build("resnet18"), arrays).bn1.num_batches_tracked.data == 0
