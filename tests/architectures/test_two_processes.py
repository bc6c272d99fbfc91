"""DistributedDataParallel in two processes, in training: each net takes the step that one process would take."""

import numpy as np
import pytest
from helpers import assert_close
from nets import SMALL

torch = pytest.importorskip("torch")
if torch:
    from passes import drawn, with_weights
    from processes import torchrun

NAMES = ("resnet18", "googlenet, heads")
RATE, PARTS = 0.1, (1.0, 0.3, 0.3)  # of the output and of the heads, as GoogLeNet's paper weighs them


def net_and_data(name):
    """Return a net of torch in training, four pictures and their classes: the same in every process."""
    factory, input_shape = SMALL[name]
    rng = np.random.default_rng(NAMES.index(name))
    net = with_weights(factory, drawn(factory, rng).state_dict(), "float64").train()
    return net, torch.tensor(rng.standard_normal((4, *input_shape))), torch.tensor([6, 0, 3, 1])


def loss_of(outs, target):
    """Return the mean loss, those of the heads added."""
    outs = outs if isinstance(outs, tuple) else (outs,)
    return sum(part * torch.nn.functional.cross_entropy(out, target) for part, out in zip(PARTS, outs))


def weights_after_a_step(net, losses):
    """Take a step of gradient descent along the mean gradient of some losses; return all weights."""
    for loss in losses:
        (loss / len(losses)).backward()
    with torch.no_grad():
        return {name: (p - RATE * p.grad).numpy() for name, p in net.named_parameters()}


SCRIPT = """
import sys
sys.path.insert(0, sys.argv[1])
import numpy as np, torch
from test_two_processes import NAMES, loss_of, net_and_data, weights_after_a_step
torch.distributed.init_process_group("gloo")
rank = torch.distributed.get_rank()
for number, name in enumerate(NAMES):
    net, x, target = net_and_data(name)
    parallel = torch.nn.parallel.DistributedDataParallel(net)  # must live until the gradients have been shared
    loss = loss_of(parallel(x[rank::2]), target[rank::2])
    np.savez(f"{sys.argv[2]}/{number}{rank}.npz", **weights_after_a_step(net, [loss]))
torch.distributed.destroy_process_group()
"""


def test_a_step_of_two_processes_is_that_of_one(tmp_path, request):
    """Both have the same weights after it: those along the mean of both halves' gradients.

    Where no batch norm looks at the other rows of a half, that is the gradient of the whole batch.
    """
    (tmp_path / "script.py").write_text(SCRIPT)
    torchrun(tmp_path / "script.py", request.path.parent, tmp_path)
    for number, name in enumerate(NAMES):
        one, other = (np.load(tmp_path / f"{number}{rank}.npz") for rank in (0, 1))
        net, x, target = net_and_data(name)
        if name == "googlenet, heads":
            expected = weights_after_a_step(net, [loss_of(net(x), target)])
        else:
            expected = weights_after_a_step(net, [loss_of(net(x[rank::2]), target[rank::2]) for rank in (0, 1)])
        assert one.files == list(expected)
        for key, value in expected.items():
            np.testing.assert_array_equal(one[key], other[key], err_msg=f"{name}: {key}")
            assert_close(one[key], value, 1e-9)
        half = weights_after_a_step(*alone(name))
        assert any(np.abs(half[key] - one[key]).max() > 1e-4 for key in half)  # one half's gradient is another


def alone(name):
    """Return the net and the loss of the first half."""
    net, x, target = net_and_data(name)
    return net, [loss_of(net(x[::2]), target[::2])]
