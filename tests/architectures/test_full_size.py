"""Every published net at its own size, in both engines: the same scores, and gradients as good as torch's."""

import gc

import numpy as np
import pytest
from helpers import assert_close
from nets import PUBLISHED

torch = pytest.importorskip("torch")
if torch:
    from passes import by_layer, drawn, outputs, passes, relative, smoothed, with_weights

LOGITS = 1e-4
SEED = 2012


@pytest.mark.slow
@pytest.mark.parametrize("name", PUBLISHED)
def test_both_engines_at_full_size(name):
    """One picture; one net at a time in memory. Scores of the net in use, gradients of its smoothed form in training.

    In training, as batch norm then keeps numbers small: without it, those of 50 blocks grow to a billion, beside which
    a GELU is as sharp as a ReLU.
    """
    factory, input_shape = PUBLISHED[name][:2]
    rng = np.random.default_rng(SEED)
    x = rng.standard_normal((1, *input_shape)).astype("float32")
    net = drawn(factory, rng)
    weights = {key: value.copy() for key, value in net.state_dict().items()}
    names = list(dict(net.named_parameters()))
    scores = outputs(net.eval(), x)
    grads = [rng.standard_normal(scores[0].shape) for _ in range(3)]  # a net with heads gives three outputs in training
    ours = by_layer(names, passes(smoothed(net), x, grads, training=True)[1])
    del net
    gc.collect()
    with torch.no_grad():
        assert_close(scores[0], with_weights(factory, weights, "float32").eval()(torch.tensor(x)).numpy(), LOGITS)
    theirs, true = (by_layer(names, passes(smoothed(with_weights(factory, weights, dtype)), x.astype(dtype), grads,
                                           training=True)[1]) for dtype in ("float32", "float64"))
    assert np.abs(scores[0]).max() > 1e-3
    errors = np.array([[relative(grad, truth) for grad in grads] for *grads, truth in zip(ours, theirs, true)])
    ratios = errors[:, 0] / np.maximum(errors[:, 1], 2 * np.finfo("float32").eps)
    print(f"{name}: {np.exp(np.log(ratios).mean()):.2f} of torch's error, {ratios.max():.2f} in the worst of "
          f"{len(ratios)} layers")
    # The means come to 1.34 at most. The worst layer of one draw is luck: over five, 1.4 to 2.1 for ResNet-110.
    assert np.exp(np.log(ratios).mean()) <= 1.5 and ratios.max() <= 3
