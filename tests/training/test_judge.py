"""Pictures from a folder to scores of published weights; the weights here are random, of a net for 224 x 224."""

import sys

import numpy as np
import pytest
from PIL import Image

from cnnlib import architectures, data, images, training

torch = pytest.importorskip("torch")


@pytest.fixture
def folder(tmp_path, rng):
    """Two classes: a wide colour picture and a tall one in grey; a colour one; and a file that is no picture."""
    for place, names in (("n01", ("a.JPEG", "b.png")), ("n02", ("c.JPG",))):
        (tmp_path / place).mkdir()
        for name in names:
            shape = (300, 40) if name == "b.png" else (64, 90, 3)
            Image.fromarray(rng.integers(0, 256, shape, dtype="uint8")).save(tmp_path / place / name)
    (tmp_path / "n02" / "notes.txt").write_text("no picture")
    return tmp_path


@pytest.fixture
def net(monkeypatch):
    """What `pretrained` gives."""
    torch.manual_seed(0)
    net = architectures.alexnet(7, width=1 / 32).eval()
    monkeypatch.setattr(sys.modules["cnnlib.training.judge"], "pretrained", lambda name: net)
    return net


@pytest.mark.parametrize("batch_size", [1, 2, 32])
def test_scores_of_a_folder(folder, net, batch_size):
    scores, target = training.judge_published("alexnet", folder, [4, 2], batch_size=batch_size)
    assert target.tolist() == [4, 4, 2] and scores.shape == (3, 7)
    paths = folder / "n01" / "a.JPEG", folder / "n01" / "b.png", folder / "n02" / "c.JPG"
    x = torch.tensor(np.stack([architectures.published_crop(images.read(path)) for path in paths]))
    with torch.no_grad():
        np.testing.assert_allclose(scores, net(architectures.published_input(x, "alexnet")), rtol=0, atol=1e-6)


def test_errors(folder, net, tmp_path):
    with pytest.raises(ValueError, match="2 folders and `classes` 1 classes"):
        training.judge_published("alexnet", folder, [4])
    (tmp_path / "empty" / "n01").mkdir(parents=True)
    with pytest.raises(ValueError, match="no pictures .* in its 1 folders"):
        training.judge_published("alexnet", tmp_path / "empty", [4])


@pytest.mark.parametrize("shape", [(256, 400, 3), (400, 256)])
def test_crop_is_the_middle(shape, rng):
    """Where the shorter side has 256 pixels, nothing is resized: the middle 224 x 224."""
    image = rng.random(shape)
    row, col = ((length - 224) // 2 for length in shape[:2])
    crop = architectures.published_crop(image)
    middle = image[row:row + 224, col:col + 224]
    np.testing.assert_allclose(crop, np.broadcast_to(middle.T.swapaxes(-1, -2), (3, 224, 224)), rtol=0, atol=1e-6)
    assert crop.dtype == "float32"


def test_crop_equals_resizing_first():
    """torchvision's order, resize to 256 and then cut, on a picture that is smooth."""
    rows, cols = np.mgrid[:320, :480]
    image = np.stack([rows / 320, cols / 480, (rows + cols) / 800], axis=2)
    small = images.resize(image, (256, 384))
    np.testing.assert_allclose(architectures.published_crop(image), images.to_chw(small)[:, 16:240, 80:304],
                               rtol=0, atol=2e-3)


def test_published_accuracies_have_weights():
    table = sys.modules["cnnlib.architectures.pretrained"]
    assert set(table.ACCURACY) <= set(table.PUBLISHED)
    assert all(0 < top1 < top5 < 100 for top1, top5 in table.ACCURACY.values())


def test_imagenettes_ten_classes_among_the_thousand(net, monkeypatch, rng):
    x, y = rng.random((10, 3, 160, 160), "float32"), np.arange(10)[::-1]
    monkeypatch.setattr(data, "load_imagenette", lambda num_train, size: ((x[:1], y[:1]), (x, y)))
    scores, target = training.judge_imagenette("alexnet", batch_size=4)
    assert target.tolist() == [701, 574, 571, 569, 566, 497, 491, 482, 217, 0]
    crops = np.stack([architectures.published_crop(images.to_hwc(picture)) for picture in x])
    with torch.no_grad():
        expected = net(architectures.published_input(torch.tensor(crops), "alexnet"))
    np.testing.assert_allclose(scores, expected, rtol=0, atol=1e-6)
