"""Optimisers and schedules: by hand, and step by step beside torch.optim."""

import copy
import math

import numpy as np
import pytest
from helpers import assert_close

from cnnlib import layers, optim

OPTIMIZERS = {
    "SGD": ("SGD", dict(lr=0.1)),
    "momentum": ("SGD", dict(lr=0.1, momentum=0.9)),
    "dampening": ("SGD", dict(lr=0.1, momentum=0.9, dampening=0.3, weight_decay=0.1)),
    "nesterov": ("SGD", dict(lr=0.1, momentum=0.8, nesterov=True, weight_decay=0.1)),
    "Adagrad": ("Adagrad", dict(lr=0.1)),
    "Adagrad, all": ("Adagrad", dict(lr=0.1, lr_decay=0.2, weight_decay=0.1, initial_accumulator_value=0.3, eps=1e-3)),
    "RMSprop": ("RMSprop", dict(lr=0.05)),
    "RMSprop, all": ("RMSprop", dict(lr=0.05, alpha=0.8, eps=1e-3, weight_decay=0.1, momentum=0.7, centered=True)),
    "Adam": ("Adam", dict(lr=0.05)),
    "Adam, all": ("Adam", dict(lr=0.05, betas=(0.7, 0.9), eps=1e-3, weight_decay=0.1)),
    "AdamW": ("AdamW", dict(lr=0.05)),
    "AdamW, all": ("AdamW", dict(lr=0.05, betas=(0.7, 0.9), eps=1e-3, weight_decay=0.3)),
}
SHAPES = ((3, 4), (5,), (2, 1, 3, 3))
SLACK = 1e-12  # relative to the largest weight, of the order of 1: ten steps of float64 rounding


def parameters(rng):
    return [layers.Parameter(rng.standard_normal(shape)) for shape in SHAPES]


def gradient(step, number, data):
    """Return a gradient that changes with the step and depends on the weights, as a real one does."""
    return np.cos(3 * data + step + number) + 0.1 * data


def run(optimizer, params, steps, first=0):
    """Take some steps; the parameter in the middle has no gradient in every third, as an unused head would."""
    for step in range(first, first + steps):
        optimizer.zero_grad()
        for number, parameter in enumerate(params):
            if number != 1 or step % 3 != 1:
                parameter.grad = gradient(step, number, parameter.data)
        optimizer.step()


# ---- by hand

def test_sgd_by_hand():
    weight = layers.Parameter(np.array([1.0, -2.0]))
    optimizer = optim.SGD([weight], lr=0.5)
    weight.grad = np.array([2.0, 1.0])
    optimizer.step()
    assert_close(weight.data, np.array([0.0, -2.5]))
    optimizer.zero_grad()
    optimizer.step()
    assert_close(weight.data, np.array([0.0, -2.5]))  # no gradient, no step


def test_momentum_by_hand():
    """v = 1, then 0.5 + 1 = 1.5, then 0.75 + 1 = 1.75; Nesterov looks half a step ahead: 1.5, 1.75, 1.875."""
    for nesterov, ends in ((False, (-1, -2.5, -4.25)), (True, (-1.5, -3.25, -5.125))):
        weight = layers.Parameter(np.zeros(1))
        optimizer = optim.SGD([weight], lr=1.0, momentum=0.5, nesterov=nesterov)
        for end in ends:
            weight.grad = np.ones(1)
            optimizer.step()
            assert_close(weight.data, np.array([float(end)]))


def test_first_steps_of_the_adaptive_ones():
    """Whatever the size of the gradient: Adam and Adagrad begin with a step of lr, RMSprop with lr / √(1 - alpha)."""
    for factory, length in ((optim.Adam, 0.1), (optim.Adagrad, 0.1), (optim.RMSprop, 1.0)):
        weight = layers.Parameter(np.zeros(3))
        weight.grad = np.array([1e-3, -5.0, 2e4])
        factory([weight], lr=0.1).step()
        assert_close(weight.data, np.array([-length, length, -length]), tolerance=1e-4)  # eps beside 1e-3


def test_weight_decay_of_adam_and_adamw():
    """Without a gradient AdamW shrinks by lr * weight_decay; Adam, which divides the decay too, goes a step of lr."""
    for factory, expected in ((optim.AdamW, 1 - 0.1 * 0.2), (optim.Adam, 1 - 0.1)):
        weight = layers.Parameter(np.ones(1))
        weight.grad = np.zeros(1)
        factory([weight], lr=0.1, weight_decay=0.2).step()
        assert_close(weight.data, np.array([expected]), tolerance=1e-7)


# ---- beside torch

@pytest.mark.parametrize("name", OPTIMIZERS)
def test_ten_steps_beside_torch(rng, name):
    torch = pytest.importorskip("torch")
    kind, settings = OPTIMIZERS[name]
    ours = parameters(rng)
    theirs = [torch.nn.Parameter(torch.tensor(parameter.data)) for parameter in ours]
    both = getattr(optim, kind)(ours, **settings), getattr(torch.optim, kind)(theirs, **settings)
    for step in range(10):
        for optimizer in both:
            optimizer.zero_grad()
        for number, (parameter, beside) in enumerate(zip(ours, theirs)):
            if number != 1 or step % 3 != 1:
                parameter.grad = gradient(step, number, parameter.data)
                beside.grad = torch.tensor(gradient(step, number, beside.detach().numpy()))
        for optimizer in both:
            optimizer.step()
        for parameter, beside in zip(ours, theirs):
            assert_close(parameter.data, beside.detach(), tolerance=SLACK)


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_defaults_and_words_are_torchs(name):
    torch = pytest.importorskip("torch")
    kind, _ = OPTIMIZERS[name]
    weight = layers.Parameter(np.ones(1))
    theirs = getattr(torch.optim, kind)([torch.nn.Parameter(torch.ones(1))]).param_groups[0]
    for setting, value in getattr(optim, kind)([weight]).param_groups[0].items():
        if setting != "params":
            assert theirs[setting] == value, setting


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_the_same_optimiser_moves_torchs_parameters(rng, name):
    """It asks for data and grad only, so it may train a net of torch.nn."""
    torch = pytest.importorskip("torch")
    kind, settings = OPTIMIZERS[name]
    ours = parameters(rng)
    theirs = [torch.nn.Parameter(torch.tensor(parameter.data)) for parameter in ours]
    optimizer, other = getattr(optim, kind)(ours, **settings), getattr(optim, kind)(theirs, **settings)
    for step in range(3):
        for number, (parameter, beside) in enumerate(zip(ours, theirs)):
            parameter.grad = gradient(step, number, parameter.data)
            beside.grad = torch.tensor(parameter.grad)
        optimizer.step(), other.step()
    for parameter, beside in zip(ours, theirs):
        assert_close(beside.detach(), parameter.data, tolerance=SLACK)


def test_groups(rng):
    torch = pytest.importorskip("torch")
    ours = parameters(rng)
    theirs = [torch.nn.Parameter(torch.tensor(parameter.data)) for parameter in ours]
    both = [factory([{"params": params[:1], "lr": 0.3}, {"params": params[1:], "weight_decay": 0.0}], lr=0.1,
                    weight_decay=0.5) for factory, params in ((optim.SGD, ours), (torch.optim.SGD, theirs))]
    for parameter, beside in zip(ours, theirs):
        parameter.grad = np.ones(parameter.shape)
        beside.grad = torch.ones_like(beside)
    for optimizer in both:
        optimizer.step()
    for parameter, beside in zip(ours, theirs):
        assert_close(parameter.data, beside.detach(), tolerance=SLACK)


# ---- what is remembered

@pytest.mark.parametrize("name", OPTIMIZERS)
def test_goes_on_to_the_last_bit(rng, name):
    kind, settings = OPTIMIZERS[name]
    params = parameters(rng)
    optimizer = getattr(optim, kind)(params, **settings)
    run(optimizer, params, 4)
    weights, state = copy.deepcopy(params), copy.deepcopy(optimizer.state_dict())
    run(optimizer, params, 4, first=4)
    resumed = getattr(optim, kind)(weights, lr=77.0)  # its own settings come from the state
    resumed.load_state_dict(state)
    run(resumed, weights, 4, first=4)
    for parameter, other in zip(params, weights):
        np.testing.assert_array_equal(other.data, parameter.data)
    for number, kept in optimizer.state_dict()["state"].items():
        for word, value in kept.items():
            np.testing.assert_array_equal(resumed.state_dict()["state"][number][word], value)


def test_state_is_a_copy(rng):
    params = parameters(rng)
    optimizer = optim.SGD(params, lr=0.1, momentum=0.9)
    run(optimizer, params, 1)
    state = optimizer.state_dict()
    before = state["state"][0]["momentum_buffer"].copy()
    run(optimizer, params, 1, first=1)
    np.testing.assert_array_equal(state["state"][0]["momentum_buffer"], before)
    optimizer.load_state_dict(state)
    run(optimizer, params, 1, first=1)
    np.testing.assert_array_equal(state["state"][0]["momentum_buffer"], before)
    assert state["param_groups"][0]["params"] == [0, 1, 2]


def test_gradients_are_not_written_to(rng):
    for kind, settings in OPTIMIZERS.values():
        params = parameters(rng)
        optimizer = getattr(optim, kind)(params, **settings)
        for _ in range(2):
            for parameter in params:
                parameter.grad = np.ones(parameter.shape)
                parameter.grad.flags.writeable = False
            optimizer.step()


# ---- schedules

SCHEDULES = {
    "StepLR": ("StepLR", dict(step_size=3, gamma=0.5)),
    "MultiStepLR": ("MultiStepLR", dict(milestones=[7, 2], gamma=0.1)),
    "CosineAnnealingLR": ("CosineAnnealingLR", dict(T_max=6, eta_min=0.01)),
    "LinearLR": ("LinearLR", dict(start_factor=0.1, total_iters=4)),
    "LinearLR, down": ("LinearLR", dict(start_factor=1.0, end_factor=0.0, total_iters=4)),
    "OneCycleLR": ("OneCycleLR", dict(max_lr=0.5, total_steps=12)),
    "OneCycleLR, linear": ("OneCycleLR", dict(max_lr=[0.5, 0.2], total_steps=12, anneal_strategy="linear",
                                              pct_start=0.4)),
    "OneCycleLR, three": ("OneCycleLR", dict(max_lr=0.5, total_steps=12, three_phase=True, base_momentum=0.5)),
    "OneCycleLR, no momentum": ("OneCycleLR", dict(max_lr=0.5, total_steps=12, cycle_momentum=False)),
}


def scheduled(name, kind="SGD", **settings):
    """Return an optimiser of two groups and its schedule."""
    schedule, more = SCHEDULES[name]
    params = [layers.Parameter(np.ones(1)) for _ in range(2)]
    optimizer = getattr(optim, kind)([{"params": params[:1]}, {"params": params[1:], "lr": 0.04}], lr=0.1, **settings)
    return optimizer, getattr(optim, schedule)(optimizer, **more)


@pytest.mark.parametrize(("kind", "settings"), [("SGD", dict(momentum=0.9)), ("Adam", dict(betas=(0.8, 0.9)))])
@pytest.mark.parametrize("name", SCHEDULES)
def test_schedule_beside_torch(name, kind, settings):
    torch = pytest.importorskip("torch")
    optimizer, schedule = scheduled(name, kind, **settings)
    theirs = [torch.nn.Parameter(torch.ones(1)) for _ in range(2)]
    other = getattr(torch.optim, kind)([{"params": theirs[:1]}, {"params": theirs[1:], "lr": 0.04}], lr=0.1, **settings)
    torch_schedule = getattr(torch.optim.lr_scheduler, SCHEDULES[name][0])(other, **SCHEDULES[name][1])
    for _ in range(12):
        for group, beside in zip(optimizer.param_groups, other.param_groups):
            for word in ("lr", *settings):
                np.testing.assert_allclose(group[word], beside[word], rtol=1e-12, atol=1e-15)
        assert schedule.get_last_lr() == [group["lr"] for group in optimizer.param_groups]
        other.step()
        if torch_schedule.last_epoch < 11:
            schedule.step(), torch_schedule.step()


def test_schedules_by_hand():
    def lrs(name, count):
        optimizer, schedule = scheduled(name, momentum=0.9)
        found = [optimizer.param_groups[0]["lr"]]
        for _ in range(count - 1):
            schedule.step()
            found.append(optimizer.param_groups[0]["lr"])
        return found

    np.testing.assert_allclose(lrs("StepLR", 7), [0.1] * 3 + [0.05] * 3 + [0.025])
    np.testing.assert_allclose(lrs("MultiStepLR", 8), [0.1] * 2 + [0.01] * 5 + [0.001])
    np.testing.assert_allclose(lrs("LinearLR", 6), [0.01, 0.0325, 0.055, 0.0775, 0.1, 0.1])
    np.testing.assert_allclose(lrs("CosineAnnealingLR", 4), [0.1, 0.055 + 0.045 * math.sqrt(3) / 2, 0.0775, 0.055])
    one = lrs("OneCycleLR", 13)
    assert 0.49 < max(one) < 0.5  # the top lies between two steps
    np.testing.assert_allclose(one[0], 0.5 / 25)
    np.testing.assert_allclose(one[-2:], [0.5 / 25 / 1e4] * 2)


@pytest.mark.parametrize("name", SCHEDULES)
def test_schedule_goes_on_to_the_last_bit(name):
    optimizer, schedule = scheduled(name, momentum=0.9)
    for _ in range(5):
        schedule.step()
    other, resumed = scheduled(name, momentum=0.9)
    other.load_state_dict(optimizer.state_dict())
    resumed.load_state_dict(schedule.state_dict())
    for _ in range(4):
        schedule.step(), resumed.step()
        assert resumed.get_last_lr() == schedule.get_last_lr()
        assert [group["momentum"] for group in other.param_groups] == [
            group["momentum"] for group in optimizer.param_groups]


# ---- errors

def test_errors_of_optimisers(rng):
    params = parameters(rng)
    with pytest.raises(ValueError, match="`params` is empty: an optimiser needs at least one parameter, as net.param"):
        optim.SGD([], lr=0.1)
    with pytest.raises(TypeError, match="`params` holds a ndarray; it must hold parameters with data and grad"):
        optim.SGD([np.ones(3)], lr=0.1)
    with pytest.raises(ValueError, match="`params` holds a parameter twice"):
        optim.Adam([params[0], params[0]])
    with pytest.raises(ValueError, match="`lr` is -0.1; it must be at least 0"):
        optim.SGD(params, lr=-0.1)
    with pytest.raises(ValueError, match="`lr` is nan; it must be at least 0"):
        optim.SGD(params, lr=float("nan"))
    with pytest.raises(ValueError, match=r"`betas` is \(0.9, 1.0\); it must be at least 0 and below 1"):
        optim.Adam(params, betas=(0.9, 1.0))
    with pytest.raises(ValueError, match="`nesterov` needs a momentum above 0 and no dampening; they are 0.0 and 0.0"):
        optim.SGD(params, nesterov=True)
    optimizer = optim.SGD(params, lr=0.1, momentum=0.9)
    with pytest.raises(ValueError, match=r"`state_dict` has groups of \[2\] parameters, this optimiser of \[3\]"):
        optimizer.load_state_dict(optim.SGD(params[:2], lr=0.1).state_dict())
    run(optimizer, params, 1)
    with pytest.raises(ValueError, match=r"'momentum_buffer' of shape \(3, 4\) for parameter 0, .* shape \(5,\)"):
        optim.SGD([params[1], params[0], params[2]], lr=0.1).load_state_dict(optimizer.state_dict())


def test_errors_of_schedules():
    optimizer = optim.SGD([layers.Parameter(np.ones(1))], lr=0.1)
    with pytest.raises(ValueError, match="`step_size` is 0; it must be at least 1"):
        optim.StepLR(optimizer, 0)
    with pytest.raises(ValueError, match="`start_factor` is 0, `end_factor` 1.0; they must lie between 0 and 1"):
        optim.LinearLR(optimizer, start_factor=0)
    with pytest.raises(ValueError, match="`anneal_strategy` is 'sin'; it must be 'cos' or 'linear'"):
        optim.OneCycleLR(optimizer, 0.5, 10, anneal_strategy="sin")
    with pytest.raises(ValueError, match="`cycle_momentum` needs an optimiser with momentum or betas"):
        optim.OneCycleLR(optimizer, 0.5, 10)
    with pytest.raises(ValueError, match="`max_lr` has 2 numbers; the optimiser has 1 groups"):
        optim.OneCycleLR(optimizer, [0.5, 0.1], 10)
    schedule = optim.OneCycleLR(optimizer, 0.5, 3, cycle_momentum=False)
    for _ in range(3):
        schedule.step()
    with pytest.raises(ValueError, match="`total_steps` is 3; this is step 4"):
        schedule.step()
