"""plot_residual_blocks: what is written in the boxes and on the line that passes them."""

import pytest
from matplotlib import pyplot as plt

from cnnlib import layers
from cnnlib.architectures import resnet, resnet_cifar, summary
from cnnlib.plots.residual import plot_residual_blocks


@pytest.fixture(autouse=True)
def _close():
    yield
    plt.close("all")


def written(block, input_shape):
    return [text.get_text() for text in plot_residual_blocks({"a": summary(block, input_shape)})[0].texts if
            text.get_text()]


def test_known_words():
    with layers.without_weights():
        projected = resnet(50, nn=layers)["conv3_x"]["conv3_1"]["residual"]
        zeros = resnet_cifar(8, nn=layers)["conv3_x"]["conv3_1"]["residual"]
    assert written(projected, (256, 56, 56)) == [
        "x: 256×56×56", "1×1/2, 256 → 128\n32,768 weights", "batch norm", "ReLU", "3×3, 128 → 128\n147,456 weights",
        "batch norm", "ReLU", "1×1, 128 → 512\n65,536 weights", "batch norm",
        "1×1/2\n256 → 512\n131,072 weights\nbatch norm", "+", "ReLU", "512×28×28"]
    assert written(zeros, (16, 32, 32))[-4:] == ["zeros for\nnew maps", "+", "ReLU", "32×16×16"]
    assert written(layers.Residual(layers.ReLU()), (3, 8, 8)) == [
        "x: 3×8×8", "ReLU", "x as it is", "+", "ReLU", "3×8×8"]


def test_both_engines_draw_the_same():
    pytest.importorskip("torch")
    blocks = [resnet(18, width=1 / 8, **nn)["conv3_x"]["conv3_1"]["residual"] for nn in ({"nn": layers}, {})]
    assert written(blocks[0], (8, 56, 56)) == written(blocks[1], (8, 56, 56))


def test_errors():
    with pytest.raises(ValueError, match="`blocks` must hold summaries of Residuals"):
        plot_residual_blocks({})
    with pytest.raises(ValueError, match="`blocks` must hold summaries of Residuals"):
        plot_residual_blocks({"no": summary(layers.Sequential(layers.ReLU()), (1, 4, 4))})
