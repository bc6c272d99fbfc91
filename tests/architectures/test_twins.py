"""The same weights in both engines: the same scores and gradients, as close as torch itself is to the truth."""

import numpy as np
import pytest
from helpers import assert_close, relative_error
from nets import SMALL

torch = pytest.importorskip("torch")
if torch:
    from passes import drawn, passes, relative, with_weights

DEEP = 1e-9  # float64, through up to 150 layers, where one operation is held to 1e-10
LOGITS = 1e-4  # float32
DRAWS = 9
EXPORTED = ("alexnet", "resnet18", "se_resnet50")  # the other nets are built of the same parts


def pair(name, rng, dtype):
    """Return our net and torch's with the same weights, and a batch of two pictures."""
    factory, input_shape = SMALL[name]
    ours = drawn(factory, rng).to(dtype)
    return ours, with_weights(factory, ours.state_dict(), dtype), rng.standard_normal((2, *input_shape))


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("name", SMALL)
def test_scores_and_gradients_in_float64(name, training, rng):
    ours, theirs, x = pair(name, rng, "float64")
    grads = [rng.standard_normal((2, 7)) for _ in range(3)]
    outs, grads_ours = passes(ours, x, grads, training)
    expected, grads_theirs = passes(theirs, x, grads, training)
    assert len(outs) == len(expected) == (3 if hasattr(ours, "trunk") and training else 1)
    assert list(ours.state_dict()) == list(theirs.state_dict())
    assert max(np.abs(out).max() for out in outs) > 1e-3  # signals arrive
    for out, value in zip(outs, expected):
        assert_close(out, value, DEEP)
    largest = max(np.abs(grad).max() for grad in grads_theirs)
    for one, other in zip(grads_ours, grads_theirs, strict=True):
        # what a batch norm subtracts again, such as a shift before it, has the gradient 0: both give its rounding
        assert np.abs(one - other).max() <= DEEP * max(np.abs(other).max(), 1e-3 * largest)


@pytest.mark.parametrize("name", SMALL)
def test_float32_is_as_close_to_the_truth_as_torchs(name):
    """Each gradient's error against float64 is at most twice torch's own; scores agree to 1e-4.

    The geometric mean over some draws: in one, a ReLU whose input is nearly 0 may open for one engine alone, which is
    no rounding and multiplies the error of a layer by ten.
    """
    draws = [both_errors(name, np.random.default_rng([draw, 1998])) for draw in range(DRAWS)]
    errors = np.exp(np.log(np.array(draws) + 1e-12).mean(axis=0))
    floor = 4 * np.finfo("float32").eps  # below it both round once or twice, and which of them less is luck
    assert (errors[:, 0] <= np.maximum(2 * errors[:, 1], floor)).all()


def both_errors(name, rng):
    """Return the relative errors of all gradients in float32, ours and torch's, of one draw of weights and pictures."""
    ours, theirs, x = pair(name, rng, "float64")
    grads = [rng.standard_normal((2, 7)) for _ in range(3)]
    truth, true_grads = passes(ours, x, grads, training=False)
    ours.to("float32"), theirs.float()
    x = x.astype("float32")
    outs, grads_ours = passes(ours, x, grads, training=False)
    outs_theirs, grads_theirs = passes(theirs, x, grads, training=False)
    assert_close(outs[0], outs_theirs[0], LOGITS)
    assert_close(outs[0], truth[0], LOGITS)
    return [[relative(one, true), relative(other, true)]
            for one, other, true in zip(grads_ours, grads_theirs, true_grads, strict=True)]


@pytest.mark.parametrize("name", [
    name if name in EXPORTED else pytest.param(name, marks=pytest.mark.slow) for name in SMALL])
def test_torch_may_do_with_it_what_it_does_with_nets(name, rng):
    """Channels last, autocast, and a graph without a break."""
    _, net, x = pair(name, rng, "float32")
    net.eval()
    x = torch.tensor(x, dtype=torch.float32)
    with torch.no_grad():
        plain = net(x)
        assert relative_error(net.to(memory_format=torch.channels_last)(x.contiguous(
            memory_format=torch.channels_last)), plain) < LOGITS
        with torch.autocast("cpu", dtype=torch.bfloat16):
            assert relative_error(net(x).float(), plain) < 0.2  # bfloat16 has three digits, and the net many layers
    assert torch.export.export(net, (x,)).module()(x).shape == plain.shape
