"""Stages by name: running to one and back to one, further heads, and errors that tell where they happened."""

import functools
import re

import numpy as np
import pytest
from helpers import assert_close
from twins import IMAGE, in_order, make, net, twin

from cnnlib import layers


def chain(rng):
    model = layers.Sequential({
        "conv1": layers.Conv2d(4, 5, 3, rng=rng), "relu1": layers.ReLU(),
        "features": layers.Sequential({"conv2": layers.Conv2d(5, 6, 3, rng=rng), "relu2": layers.ReLU()}),
        "flatten": layers.Flatten(), "fc": layers.Linear(6 * 3 * 4, 2, rng=rng)})
    return model.to("float64")


# ---- access

def test_stages_by_name_number_and_slice(rng):
    model = chain(rng)
    assert model["conv1"] is model[0] is model.conv1 and model[-1] is model.fc and len(model) == 5
    assert list(model) == [stage for _, stage in model.named_children()]
    assert model.features["conv2"] is model[2][0]
    front = model[:2]
    assert [name for name, _ in front.named_children()] == ["conv1", "relu1"] and front[0] is model[0]
    assert [name for name, _ in layers.Sequential(layers.ReLU(), layers.Tanh()).named_children()] == ["0", "1"]


def test_an_empty_sequential_is_the_identity(rng):
    x = rng.standard_normal(IMAGE)
    assert layers.Sequential()(x) is x and layers.Sequential().backward(x) is x


# ---- forward to, backward down to

@pytest.mark.parametrize("stage", ("conv1", "relu1", "features", "features.conv2", "features.relu2", "flatten", "fc"))
def test_forward_to_is_the_front_of_forward(rng, stage):
    """And a backward that follows begins at that stage."""
    model, x = chain(rng), rng.standard_normal(IMAGE)
    names = ["conv1", "relu1", "features.conv2", "features.relu2", "flatten", "fc"]
    steps = [model[0], model[1], model[2][0], model[2][1], model[3], model[4]]
    steps = steps[:1 + names.index("features.relu2" if stage == "features" else stage)]
    expected = x
    for step in steps:
        expected = step(expected)
    assert_close(model.forward_to(x, stage), expected)
    grad_output = rng.standard_normal(expected.shape)
    found = model.backward(grad_output)
    for step in reversed(steps):
        grad_output = step.backward(grad_output)
    assert_close(found, grad_output)


@pytest.mark.parametrize("stage", ("conv1", "relu1", "features", "features.conv2", "flatten", "fc"))
def test_down_to_is_the_gradient_of_what_came_out_there(rng, stage):
    """Central differences along a drawn direction: the net from that stage on, a little to both sides."""
    model, x = chain(rng), rng.standard_normal(IMAGE)
    feature = np.array(model.forward_to(x, stage))
    grad_output = rng.standard_normal(model(x).shape)
    found = model.backward(grad_output, down_to=stage)
    assert found.shape == feature.shape
    direction, eps = rng.standard_normal(feature.shape), 1e-6

    def after(value):
        names = [name for name, _ in model.named_children()]
        if stage == "features.conv2":
            value = model[2][1](value)
        for name in names[names.index(stage.partition(".")[0]) + 1:]:
            value = model[name](value)
        return (value * grad_output).sum()

    slope = (after(feature + eps * direction) - after(feature - eps * direction)) / (2 * eps)
    assert abs(slope - (found * direction).sum()) < 1e-7 * max(1, abs(slope))  # what eps allows in float64


def test_down_to_leaves_the_stages_below_alone(rng):
    model = chain(rng)
    model.backward(np.ones_like(model(rng.standard_normal(IMAGE))), down_to="features.conv2")
    assert model.fc.weight.grad is not None
    assert model.conv1.weight.grad is None and model.features.conv2.weight.grad is None


def test_names_that_are_not_there(rng):
    model, x = chain(rng), rng.standard_normal(IMAGE)
    with pytest.raises(ValueError, match="there is no stage 'conv3'; there are conv1, relu1, features, flatten, fc"):
        model.forward_to(x, "conv3")
    with pytest.raises(ValueError, match="in stage 'features', Sequential.*no stage 'conv3'; there are conv2, relu2"):
        model.forward_to(x, "features.conv3")
    with pytest.raises(ValueError, match="no stage 'conv1.weight'; 'conv1' is a Conv2d, without stages"):
        model.forward_to(x, "conv1.weight")
    grad = np.ones_like(model.forward_to(x, "relu1"))
    with pytest.raises(ValueError, match="`down_to` is 'fc', which the last forward did not reach; it ran conv1"):
        model.backward(grad, down_to="fc")


# ---- where an error happened

def test_shape_errors_name_the_stage(rng):
    model = chain(rng)
    with pytest.raises(ValueError, match=re.escape("in stage 'conv1', Conv2d(4, 5, kernel_size=(3, 3)): `x` "
                                                   "(2, 3, 7, 8) has 3 channels")):
        model(np.ones((2, 3, 7, 8)))
    with pytest.raises(ValueError, match=r"in stage 'fc', Linear\(in_features=72, .*: `x` has shape \(2, 30\)"):
        model(np.ones((2, 4, 5, 9)))
    with pytest.raises(ValueError, match=r"in stage 'features.conv2', Conv2d\(5, 6, .*: `weight` .* does not fit into"):
        model(np.ones((2, 4, 4, 4)))
    with pytest.raises(TypeError, match=r"in stage 'conv1', Conv2d.*: arguments differ in dtype \(x float32, "):
        model(np.ones(IMAGE, "float32"))
    model(np.ones(IMAGE))
    with pytest.raises(ValueError, match=r"in stage 'fc', Linear.*: `grad_output` has shape \(3, 3\); .* \(3, 2\)"):
        model.backward(np.ones((3, 3)))


def test_errors_in_the_other_containers_name_the_stage():
    x = np.ones((2, 3, 4, 4), "float32")
    wrong = layers.Conv2d(4, 3, 1)
    for model, where in ((layers.Residual(wrong), "body"), (layers.Residual(layers.ReLU(), wrong), "shortcut"),
                         (layers.Concat({"left": layers.ReLU(), "right": wrong}), "right"),
                         (layers.Gate(wrong), "body"),
                         (layers.Heads(layers.Sequential({"conv": wrong}), {}), "trunk.conv")):
        with pytest.raises(ValueError, match=rf"in stage '{where}', Conv2d\(4, 3, .*: `x` \(2, 3, 4, 4\) has 3 chan"):
            model(x)


def test_a_forward_that_failed_is_not_gone_back_through(rng):
    model = chain(rng)
    model(np.ones(IMAGE))
    with pytest.raises(ValueError, match="in stage 'fc'"):
        model(np.ones((2, 4, 9, 9)))
    with pytest.raises(RuntimeError, match="backward came before forward"):
        model.backward(np.ones((3, 2)))


# ---- what fits together

FITS = {
    "sum": (lambda: layers.Residual(layers.Conv2d(3, 5, 1)),
            "the body gives (2, 5, 4, 4) and the shortcut (2, 3, 4, 4)"),
    "branches": (lambda: layers.Concat(layers.Conv2d(3, 5, 3), layers.Identity()),
                 "the branches give 0 (2, 5, 2, 2), 1 (2, 3, 4, 4); they may differ in the channels only"),
    "gate": (lambda: layers.Gate(layers.Conv2d(3, 2, 1)),
             "the body gives (2, 2, 4, 4) for `x` (2, 3, 4, 4); it must be"),
    "gate, axes": (lambda: layers.Gate(layers.Flatten()), "the body gives (2, 48) for `x` (2, 3, 4, 4)"),
}


@pytest.mark.parametrize("case", FITS)
def test_shapes_that_do_not_fit(case):
    build, message = FITS[case]
    with pytest.raises(ValueError, match=re.escape(message)):
        build()(np.ones((2, 3, 4, 4), "float32"))


def test_gradients_that_do_not_fit(rng):
    model = layers.Concat(layers.Identity(), layers.Identity())
    model(np.ones((2, 3, 4, 4)))
    with pytest.raises(ValueError, match=r"`grad_output` has shape \(2, 5, 4, 4\); the branches gave 3 \+ 3 = 6 chan"):
        model.backward(np.ones((2, 5, 4, 4)))
    heads = make(net, rng)
    heads(rng.standard_normal(IMAGE))
    with pytest.raises(TypeError, match="must be a tuple of 3 gradients: of the output, and of the heads late, early"):
        heads.backward(np.ones((3, 5)))


STAGES = {
    "class": (lambda: layers.Sequential(layers.ReLU), TypeError, "must be a layer of cnnlib.layers: write ReLU(...)"),
    "number": (lambda: layers.Sequential(layers.ReLU(), 3), TypeError, "stage '1' is 3; it must be a layer"),
    "dot": (lambda: layers.Sequential({"a.b": layers.ReLU()}), ValueError, "'a.b' cannot be the name of a stage"),
    "taken": (lambda: layers.Sequential({"forward": layers.ReLU()}), ValueError, "'forward' cannot be the name of a"),
    "trunk taken": (lambda: layers.Heads(layers.Sequential({"a": layers.ReLU()}), {"trunk": ("a", layers.ReLU())}),
                    ValueError, "'trunk' cannot be the name of a stage here: it is taken"),
    "twice": (lambda relu: layers.Sequential({"a": relu, "b": relu}), ValueError,
              "one ReLU stands both at 'a' and at 'b': a layer remembers one forward pass only, so make two"),
    "deeper": (lambda relu: layers.Sequential({"a": layers.Residual(relu), "b": layers.Sequential({"c": relu})}),
               ValueError, "one ReLU stands both at 'a.body' and at 'b.c'"),
    "no branches": (layers.Concat, ValueError, "`branches` is empty"),
    "trunk": (lambda: layers.Heads(layers.ReLU(), {}), TypeError, "`trunk` is a ReLU; it must be a Sequential"),
    "after": (lambda: layers.Heads(layers.Sequential({"a": layers.ReLU()}), {"h": ("b", layers.ReLU())}), ValueError,
              "`after_stage` is 'b'; the trunk's stages are a"),
}


@pytest.mark.parametrize("case", STAGES)
def test_stages_that_are_refused(case):
    build, error, message = STAGES[case]
    with pytest.raises(error, match=re.escape(message)):
        build(layers.ReLU()) if case in ("twice", "deeper") else build()


# ---- heads

def test_heads_rest_in_evaluation(rng):
    model, x = make(net, rng), rng.standard_normal(IMAGE)
    out = model.eval()(x)
    assert out.shape == (3, 5)
    model.backward(np.ones((3, 5)))
    assert model.early.fc.weight.grad is None and model.trunk.fc.weight.grad is not None
    assert [o.shape for o in model.train()(x)] == [(3, 5)] * 3


@pytest.mark.parametrize("order", ("usual", "torch"))
def test_heads_go_down_to_a_stage(rng, order):
    """The gradient there is the sum of what comes from the end and what comes from the heads above."""
    if order == "torch":
        pytest.importorskip("torch")
    model = make(net, rng)
    x, grads = rng.standard_normal(IMAGE), [rng.standard_normal((3, 5)) for _ in range(3)]
    x, *grads = ((in_order(a, order) if order == "torch" else a) for a in (x, *grads))
    if order == "torch":
        model.to("cpu")
    model(x)
    total = model.backward(tuple(grads), down_to="relu1")
    parts = []
    for number in range(3):
        model(x)
        one = tuple(grad * (place == number) for place, grad in enumerate(grads))
        parts.append(model.backward(one, down_to="relu1"))
    assert_close(total, sum(parts))
    assert all(part.any() for part in parts)
    model(x)
    late = model.backward(tuple(grads), down_to="mixed")  # above it stands the head that begins there, and the end
    model(x)
    without = model.backward((grads[0], grads[1], grads[2] * 0), down_to="mixed")
    assert_close(late, without)
    model.eval()
    feature = model.forward_to(x, "relu1")
    assert tuple(feature.shape) == (3, 6, 7, 8)
    assert tuple(model.backward(feature).shape) == IMAGE


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("stage", ("features.block.body", "features.block.body.0", "trunk.features.block", "mixed.1",
                                   "features.gate.body", "features.gate.body.1", "mixed.1.0", "trunk.mixed.2", "conv1"))
def test_down_to_leads_into_every_container(rng, stage, training):
    """Into sums, branches and gates, below heads: a little is added to what comes out there, to both sides."""
    model = make(net, rng).train(training)
    for smooth, place in ((layers.Tanh(), "relu1"), (layers.Tanh(), "features.block.body.2"),
                          (layers.AvgPool2d(3, 1, 1), "mixed.1.0")):  # equal zeros or maxima would be tied in the pool
        *way, name = place.split(".")
        setattr(functools.reduce(getattr, way, model.trunk), name, smooth)
    x, below = rng.standard_normal(IMAGE), dict(model.trunk.named_modules())[stage.removeprefix("trunk.")]
    grads = [rng.standard_normal((3, 5)) for _ in range(3 if training else 1)]
    seen, forward, step = [], below.forward, [0]

    def moved(x):
        seen.append(forward(x))
        return seen[-1] + step[0]

    below.forward = moved
    model(x)
    found = model.backward(tuple(grads) if training else grads[0], down_to=stage)
    assert found.shape == seen[0].shape
    direction, sums = rng.standard_normal(found.shape), []
    for step[0] in (1e-6 * direction, -1e-6 * direction):
        outs = model(x)
        sums.append(sum((out * grad).sum() for out, grad in zip(outs if training else [outs], grads)))
    slope = (sums[0] - sums[1]) / 2e-6
    assert abs(slope) > 1e-3 and abs(slope - (found * direction).sum()) < 1e-6 * max(1, abs(slope))


def test_down_to_leaves_what_stands_beside_alone(rng):
    """Nothing of the shortcut, of other branches or of what is before has run backward."""
    model = make(net, rng)
    model(rng.standard_normal(IMAGE))
    model.backward(tuple(np.ones((3, 5)) for _ in range(3)), down_to="mixed.1.0")
    ran = [name for name, parameter in model.named_parameters() if parameter.grad is not None]
    assert ran == ["trunk.mixed.1.1.weight", "trunk.mixed.1.1.bias", "trunk.fc.weight", "trunk.fc.bias",
                   "late.fc.weight", "late.fc.bias"]


@pytest.mark.parametrize("engine", ("ours", "torch"))
def test_forward_to_ends_on_the_one_way(rng, engine):
    model, x = make(net, rng).eval(), rng.standard_normal(IMAGE)
    if engine == "torch":
        torch = pytest.importorskip("torch")
        model, x = twin(net, model).eval(), torch.tensor(x)
    assert_close(model.forward_to(x, "trunk.features.block"), model.forward_to(x, "features.block"))
    with pytest.raises(ValueError, match="cannot end at 'block.body': in 'block', a Residual, the paths run side by"):
        model.forward_to(x, "features.block.body")
    with pytest.raises(ValueError, match="no stage 'conv1.weight'; 'conv1' is a Conv2d, without stages"):
        model.forward_to(x, "conv1.weight")
