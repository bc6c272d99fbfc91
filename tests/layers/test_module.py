"""What every layer does: parameters by name, weights in and out, train and eval, places, errors."""

import copy
import pickle
import re

import numpy as np
import pytest
from helpers import assert_close
from twins import IMAGE, LAYERS, make, net, twin

from cnnlib import _array, layers


class Scale(layers.Module):
    """A layer as a student writes it: no call of the parent's __init__, no list of parameters."""

    def __init__(self, channels):
        self.weight = layers.Parameter(np.ones((channels, 1, 1)))

    def forward(self, x):
        self.x = x
        return x * self.weight.data

    def backward(self, grad_output):
        self.weight.add_grad((grad_output * self.x).sum(axis=(0, 2, 3)).reshape(-1, 1, 1))
        return grad_output * self.weight.data


def small(rng=None):
    return layers.Sequential({"conv": layers.Conv2d(4, 3, 3, rng=rng), "norm": layers.BatchNorm2d(3),
                              "relu": layers.ReLU(), "drop": layers.Dropout(0.5)})


# ---- a layer of one's own

def test_a_layer_of_ones_own_is_a_layer(rng):
    own = layers.Sequential({"scale": Scale(4), "conv": layers.Conv2d(4, 2, 3, rng=rng).to("float64")})
    assert [name for name, _ in own.named_parameters()] == ["scale.weight", "conv.weight", "conv.bias"]
    x = rng.standard_normal(IMAGE)
    grad_output = rng.standard_normal(own(x).shape)
    grad_x = own.backward(grad_output)
    plain = own.conv.backward(grad_output)
    assert_close(grad_x, plain)
    assert_close(own.scale.weight.grad.ravel(), (plain * x).sum(axis=(0, 2, 3)))
    own.eval()
    assert own.scale.training is False and Scale(4).training is True


def test_a_layer_without_forward_or_backward_says_so():
    with pytest.raises(NotImplementedError, match="Module has no forward"):
        layers.Module()(np.ones(3))
    with pytest.raises(NotImplementedError, match="Module has no backward"):
        layers.Module().backward(np.ones(3))


# ---- parameters and gradients

def test_parameters_and_gradients(rng):
    model = small(rng)
    names = [name for name, _ in model.named_parameters()]
    assert names == ["conv.weight", "conv.bias", "norm.weight", "norm.bias"]
    assert [p.numel() for p in model.parameters()] == [4 * 3 * 9, 3, 3, 3]
    assert model.gradients() == [None] * 4
    x = rng.standard_normal(IMAGE).astype("float32")
    model.backward(np.ones_like(model(x)))
    once = model.gradients()
    assert [grad.shape for grad in once] == [p.shape for p in model.parameters()]
    model.zero_grad()
    assert model.gradients() == [None] * 4


def test_gradients_add_up(rng):
    layer = layers.Linear(3, 2, rng=rng)
    x, grad_output = (rng.standard_normal(shape).astype("float32") for shape in ((5, 3), (5, 2)))
    layer(x)
    layer.backward(grad_output)
    first = layer.weight.grad
    kept = first.copy()
    layer.backward(grad_output)
    assert_close(layer.weight.grad, 2 * kept)
    np.testing.assert_array_equal(first, kept)  # whoever holds the first one keeps it


@pytest.mark.parametrize("name", LAYERS)
def test_forward_and_backward_leave_their_arguments_alone(rng, name):
    factory, shape = LAYERS[name]
    layer = make(factory, rng)
    x = rng.standard_normal(shape)
    x.flags.writeable = False
    grad_output = np.array(layer(x))
    grad_output.flags.writeable = False
    before = [parameter.data.copy() for parameter in layer.parameters()]
    layer.backward(grad_output)
    for parameter, data in zip(layer.parameters(), before):
        np.testing.assert_array_equal(parameter.data, data)


# ---- first weights

def test_first_weights_come_from_rng_alone(rng):
    first, second = (small(np.random.default_rng(3)).state_dict() for _ in range(2))
    for name in first:
        np.testing.assert_array_equal(first[name], second[name])
    unseeded = [layers.Conv2d(4, 3, 3).weight.data for _ in range(2)]
    assert (unseeded[0] != unseeded[1]).all()  # and nothing else is shared that would repeat them
    again = [net(layers).reset_parameters(np.random.default_rng(5)).state_dict() for _ in range(2)]
    for name in again[0]:
        np.testing.assert_array_equal(again[0][name], again[1][name])
    assert (again[0]["trunk.conv1.weight"] != net(layers).state_dict()["trunk.conv1.weight"]).any()


@pytest.mark.parametrize(("factory", "fan_in"), [
    (lambda nn: nn.Conv2d(8, 64, 5, groups=2), 100), (lambda nn: nn.Linear(100, 300), 100),
    (lambda nn: nn.ConvTranspose2d(64, 8, 5, groups=2), 100)])
def test_first_weights_are_distributed_as_torchs(rng, factory, fan_in):
    torch = pytest.importorskip("torch")
    ours = factory(layers).reset_parameters(rng)
    theirs = factory(torch.nn)
    for parameter, beside in zip(ours.parameters(), theirs.parameters()):
        assert parameter.data.dtype == np.float32
        for values in (parameter.data, beside.detach().numpy()):
            assert np.abs(values).max() * fan_in**0.5 <= 1
    for values in (ours.weight.data, theirs.weight.detach().numpy()):  # thousands: limit and deviation are sharp
        assert np.abs(values).max() * fan_in**0.5 > 0.99
        assert abs(values.std() * (3 * fan_in) ** 0.5 - 1) < 0.05
    assert np.abs(ours.bias.data).max() * fan_in**0.5 > 0.5  # a few numbers, always the same


def test_reset_parameters_brings_norms_and_statistics_back(rng):
    model = small(rng)
    fresh = {name: value for name, value in model.state_dict().items() if name.startswith("norm")}
    for _ in range(2):
        model.backward(model(rng.standard_normal(IMAGE).astype("float32")))
        for parameter in model.parameters():
            parameter.data -= 1
    model.reset_parameters(rng)
    for name, value in fresh.items():
        np.testing.assert_array_equal(model.state_dict()[name], value)


# ---- weights in and out

def test_state_dict_round_trip(rng):
    first, second = make(net, rng), make(net, rng)
    state = first.state_dict()
    x = rng.standard_normal(IMAGE)
    assert (first.eval()(x) != second.eval()(x)).any()
    assert second.load_state_dict(state) == ([], [])
    np.testing.assert_array_equal(second(x), first(x))
    state["trunk.conv1.weight"][...] = 0  # a copy
    np.testing.assert_array_equal(second(x), first(x))


def test_state_dict_both_ways_with_torch(rng):
    torch = pytest.importorskip("torch")
    ours = make(net, rng)
    theirs = twin(net, ours)  # ours to torch
    for parameter in theirs.parameters():
        parameter.data += torch.randn(parameter.shape, generator=torch.Generator().manual_seed(0))
    ours.load_state_dict(theirs.state_dict())  # torch to ours
    x = rng.standard_normal(IMAGE)
    assert_close(ours.eval()(x), theirs.eval()(torch.tensor(x)).detach())
    with torch.no_grad():
        for parameter in theirs.parameters():
            parameter.zero_()
    assert all(parameter.data.any() for parameter in ours.parameters())  # copies, not views of torch's memory


def test_weights_of_another_dtype_become_ours(rng):
    layer, other = layers.Linear(3, 2, rng=rng), layers.Linear(3, 2, rng=rng).to("float64")
    layer.load_state_dict(other.state_dict())
    assert layer.weight.data.dtype == np.float32
    assert_close(layer.weight.data, other.weight.data)


def test_optimisers_keep_their_hold_when_weights_are_loaded(rng):
    layer = layers.Linear(3, 2, rng=rng)
    data = layer.weight.data
    layer.load_state_dict(layers.Linear(3, 2, rng=rng).state_dict())
    assert layer.weight.data is data


STATES = {
    "missing": (lambda state: state.pop("norm.bias"), "`state_dict` lacks 'norm.bias': strict=False passes them over"),
    "several": (lambda state: [state.pop(name) for name in list(state)[:3]], "lacks 'conv.weight' and 2 more"),
    "unexpected": (lambda state: state.update(fc=np.ones(3)), "`state_dict` has no place here for 'fc'"),
    "shape": (lambda state: state.update({"conv.bias": np.ones(4)}),
              "`state_dict` has 'conv.bias' of shape (4,); here it has shape (3,)"),
}


@pytest.mark.parametrize("case", STATES)
def test_what_does_not_fit_is_named_and_nothing_is_copied(rng, case):
    change, message = STATES[case]
    model = small(rng)
    state = {name: value + 1 for name, value in model.state_dict().items()}
    change(state)
    before = model.state_dict()
    with pytest.raises(ValueError, match=re.escape(message)):
        model.load_state_dict(state)
    for name, value in model.state_dict().items():
        np.testing.assert_array_equal(value, before[name])


def test_not_strict(rng):
    model = small(rng)
    state = {"norm.bias": np.full(3, 7.0), "fc.weight": np.ones(2)}
    missing, unexpected = model.load_state_dict(state, strict=False)
    assert unexpected == ["fc.weight"] and len(missing) == 6 and "norm.bias" not in missing
    assert (model.norm.bias.data == 7).all()


def test_a_copy_and_a_pickle_are_the_same_layer_without_its_activations(rng):
    model = make(net, rng).eval()
    x = rng.standard_normal(IMAGE)
    out = model(x)
    for other in (copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
        assert other.trunk.conv1._kept is None and model.trunk.conv1._kept is not None
        np.testing.assert_array_equal(other(x), out)


# ---- train and eval, dropout

def test_train_and_eval_reach_every_layer(rng):
    model = net(layers)
    assert all(module.training for module in model.modules())
    assert model.eval() is model and not any(module.training for module in model.modules())
    assert model.train().trunk.features.block.body[1].training


def test_dropout_repeats_with_its_generator_and_rests_in_evaluation(array, rng):
    x = array(rng.standard_normal(IMAGE))
    first, second = (layers.Dropout(0.25, rng=np.random.default_rng(1)) for _ in range(2))
    outs = [first(x), first(x)]
    for out in outs:
        np.testing.assert_array_equal(_array.to_numpy(second(x)), _array.to_numpy(out))
    assert (_array.to_numpy(outs[0]) != _array.to_numpy(outs[1])).any()
    kept = _array.to_numpy(outs[1]) != 0
    assert 0.6 < kept.mean() < 0.9
    assert_close(first.backward(x), np.where(kept, _array.to_numpy(x) / 0.75, 0))
    first.eval()
    np.testing.assert_array_equal(_array.to_numpy(first(x)), _array.to_numpy(x))
    np.testing.assert_array_equal(_array.to_numpy(first.backward(x)), _array.to_numpy(x))


def test_reset_parameters_gives_each_dropout_a_generator(rng):
    def drop(seed):
        model = layers.Sequential(layers.Dropout(), layers.Dropout()).reset_parameters(np.random.default_rng(seed))
        x = np.ones((20, 20))
        return model[0](x), model[1](x)

    for one, other in zip(drop(0), drop(0)):
        np.testing.assert_array_equal(one, other)
    assert (drop(0)[0] != drop(0)[1]).any() and (drop(0)[0] != drop(1)[0]).any()


# ---- places

def test_to_torch_and_back(rng):
    torch = pytest.importorskip("torch")
    model = make(net, rng).eval()
    x = rng.standard_normal(IMAGE)
    expected = model(x)
    assert model.to("cpu") is model
    assert all(isinstance(value, torch.Tensor) for value in model.state_dict().values())
    assert_close(model(torch.tensor(x)), expected)
    model.to(torch.float32).to("numpy")
    assert model.trunk.conv1.weight.data.dtype == np.float32
    with pytest.raises(RuntimeError, match="in stage 'trunk.fc', Linear.*: backward came before forward"):
        model.backward(np.ones((3, 5), "float32"))  # what was kept was of another kind
    assert model.trunk.features.block.body[1].num_batches_tracked.data.dtype == np.int64  # it counts
    assert_close(model(x.astype("float32")), expected)


@pytest.mark.cuda
def test_to_a_gpu(rng):
    torch = pytest.importorskip("torch")
    if not torch.cuda.is_available():
        pytest.skip("no CUDA device")
    model = make(net, rng).eval()
    x = rng.standard_normal(IMAGE)
    expected = model(x)
    out = model.to("cuda")(torch.tensor(x, device="cuda"))
    assert out.device.type == "cuda"
    assert_close(out, expected)
    assert model.backward(out).device.type == "cuda"


@pytest.mark.parametrize("dtype", ("float16", "float64", np.float64, np.dtype("float16")))
def test_to_a_dtype(rng, dtype):
    layer = layers.Conv2d(4, 3, 3, rng=rng)
    layer(rng.standard_normal(IMAGE).astype("float32"))
    layer.backward(np.ones((3, 3, 5, 6), "float32"))
    layer.to(dtype)
    assert layer.weight.data.dtype == layer.weight.grad.dtype == np.dtype(dtype)
    x = rng.standard_normal(IMAGE).astype(dtype)
    assert layer(x).dtype == x.dtype


def test_places_that_do_not_exist(rng):
    pytest.importorskip("torch")
    for where in ("mars", "int64", 3.5):
        with pytest.raises(ValueError, match=f"{where!r} is no place for a layer here; 'numpy', a torch device"):
            layers.ReLU().to(where)
    with pytest.raises(TypeError, match="NumPy has no bfloat16"):
        layers.Linear(2, 2).to("bfloat16")


# ---- errors

@pytest.mark.parametrize("name", [name for name in LAYERS if not name.startswith("Identity")])
def test_backward_before_forward(rng, name):
    factory, _ = LAYERS[name]
    with pytest.raises(RuntimeError, match="backward came before forward; call the (layer|net) on a batch first"):
        factory(layers).backward(np.ones((2, 2)))


@pytest.mark.parametrize(("build", "message"), [
    (lambda: layers.Conv2d(3, 4, 3, groups=2), "`groups` is 2; it must divide in_channels 3 and out_channels 4"),
    (lambda: layers.Conv2d(0, 4, 3), "`in_channels` is 0; it must be at least 1"),
    (lambda: layers.Linear(3, 0), "`out_features` is 0; it must be at least 1"),
    (lambda: layers.Dropout(1.5), "`p` is 1.5; the probability of dropping a number must lie between 0 and 1"),
    (lambda: layers.GroupNorm(3, 4), "`num_groups` is 3; it must divide num_channels 4"),
    (lambda: layers.GroupNorm(2, 4)(np.ones((2, 6), "float32")), "`x` has shape (2, 6); it must be (N, 4, ...)"),
    (lambda: layers.BatchNorm2d(3)(np.ones((2, 3), "float32")), "`x` has shape (2, 3); it must be (N, C, H, W)"),
    (lambda: layers.BatchNorm1d(3)(np.ones((2, 3, 4, 4), "float32")), "it must be (N, C) or (N, C, L)"),
    (lambda: layers.Flatten(2, 1)(np.ones((2, 3, 4))), "`start_dim` 2 comes after `end_dim` 1 in `x` (2, 3, 4)"),
    (lambda: layers.Flatten(1, 3)(np.ones((2, 3, 4))), "`end_dim` is 3; arrays of shape (2, 3, 4) have the axes -3"),
])
def test_values_that_are_refused(build, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        build()


def test_parameters_must_be_arrays_of_float():
    with pytest.raises(TypeError, match=r"`data` is int64; what is learnt must be an array of float: np\.asarray"):
        layers.Parameter(np.arange(3))
    with pytest.raises(TypeError, match="`data` is list"):
        layers.Parameter([1.0])
    with pytest.raises(ValueError, match=r"`grad` has shape \(3,\); that of the parameter is \(1, 3\)"):
        layers.Parameter(np.ones((1, 3))).add_grad(np.ones(3))


def test_repr_shows_what_was_asked_for():
    text = repr(layers.Sequential({"conv": layers.Conv2d(3, 8, 5, stride=2, padding="same", bias=False),
                                   "block": layers.Residual(layers.Sequential(layers.ReLU()))}))
    assert text == ("Sequential(\n  (conv): Conv2d(3, 8, kernel_size=(5, 5), stride=(2, 2), padding=same, bias=False)\n"
                    "  (block): Residual(\n    (body): Sequential(\n      (0): ReLU()\n    )\n  )\n)")


def test_without_weights_nothing_takes_memory_until_it_is_loaded(rng):
    def build():
        return layers.Sequential(layers.Conv2d(3, 8, 3), layers.TableConv2d([(0, 1)], 3), layers.Linear(5, 4))

    with layers.without_weights():
        net = build()
    assert [parameter.data.base.nbytes for parameter in (net[0].weight, net[0].bias, net[2].weight)] == [4, 4, 4]
    drawn = build().state_dict()
    net.load_state_dict(drawn)
    for name, values in net.state_dict().items():
        np.testing.assert_array_equal(values, drawn[name])
    with layers.without_weights():
        net = build()
    assert np.ptp(net.reset_parameters(rng)[0].weight.data) > 0
    assert np.ptp(layers.Linear(5, 4).weight.data) > 0  # outside, layers draw again
