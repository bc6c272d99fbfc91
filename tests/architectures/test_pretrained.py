"""Published files: fetched once, checked each time, never run as code. The server is one on this machine."""

import functools
import hashlib
import http.server

import numpy as np
import pytest
from serving import serving

from cnnlib import architectures, layers
from cnnlib.architectures import pretrained, published_crop, published_input
from cnnlib.data import folders

torch = pytest.importorskip("torch")


@pytest.fixture
def small(monkeypatch, tmp_path):
    """Publish a small AlexNet; return (its file, the arrays in it)."""
    net = architectures.alexnet(5, width=1 / 32)
    folder = tmp_path / "mirror" / "torchvision"
    folder.mkdir(parents=True)
    names = architectures.weights.torchvision_names(net)
    arrays = {names[key]: value.clone() for key, value in net.state_dict().items()}
    torch.save(arrays, folder / "new.pth")
    digits = hashlib.sha256((folder / "new.pth").read_bytes()).hexdigest()
    file = (folder / "new.pth").rename(folder / f"small-{digits[:8]}.pth")
    monkeypatch.setitem(module_of("PUBLISHED"), "small",
                        (functools.partial(architectures.alexnet, 5, width=1 / 32), file.name))
    for name in ("CNNLIB_MIRROR", "CNNLIB_OFFLINE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("CNNLIB_DATA", str(tmp_path / "data"))
    return file, arrays


def module_of(name):
    """The module, not the function of the same name."""
    import sys

    return getattr(sys.modules["cnnlib.architectures.pretrained"], name)


@pytest.fixture
def served(small, monkeypatch):
    """Serve the mirror's folder by http; return the list of paths asked for."""
    asked = []

    class Handler(http.server.SimpleHTTPRequestHandler):
        def __init__(self, *args):
            super().__init__(*args, directory=str(small[0].parents[1]))

        def log_message(self, *args):
            asked.append(self.path)

    with serving(http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)) as server:
        monkeypatch.setenv("CNNLIB_MIRROR", f"http://127.0.0.1:{server.server_port}")
        monkeypatch.setenv("no_proxy", "127.0.0.1")
        yield asked


def kept(tmp_path, file):
    return tmp_path / "data" / "torchvision" / file.name


@pytest.mark.parametrize("nn", [None, layers])
def test_a_net_with_its_weights(nn, small, served, tmp_path):
    file, arrays = small
    net = pretrained("small", nn=nn)
    assert not net.training
    np.testing.assert_array_equal(np.asarray(net.state_dict()["conv1.weight"]), arrays["features.0.weight"].numpy())
    assert kept(tmp_path, file).read_bytes() == file.read_bytes()
    count = len(served)
    pretrained("small", nn=nn)  # it is here now
    assert len(served) == count == 1


def test_from_a_folder(small, monkeypatch, tmp_path):
    file, _ = small
    monkeypatch.setenv("CNNLIB_MIRROR", str(file.parents[1]))
    monkeypatch.setenv("CNNLIB_OFFLINE", "1")
    pretrained("small")
    assert [path.name for path in kept(tmp_path, file).parent.iterdir()].count(file.name) == 1


def test_a_damaged_file_of_a_mirror_is_not_kept(small, monkeypatch, tmp_path):
    """The mirror is named, and once it is mended all is well."""
    file, _ = small
    right = file.read_bytes()
    monkeypatch.setenv("CNNLIB_MIRROR", str(file.parents[1]))
    file.write_bytes(right[:-1] + b"x")
    with pytest.raises(OSError, match=rf"^{file} is damaged: its sha256 is .* must begin with {file.stem[-8:]}\. Put"):
        pretrained("small")
    assert list(kept(tmp_path, file).parent.iterdir()) == []
    file.write_bytes(right)
    pretrained("small")
    assert kept(tmp_path, file).read_bytes() == right


def test_an_empty_record_is_none(small, monkeypatch, tmp_path):
    """Such as a full disk leaves. The file is held to the digits in its name, and the record is written anew."""
    file, _ = small
    monkeypatch.setenv("CNNLIB_MIRROR", str(file.parents[1]))
    pretrained("small")
    record = kept(tmp_path, file).with_suffix(".sha256")
    written = record.read_text()
    record.write_text("")
    pretrained("small")
    assert record.read_text() == written != ""


def test_a_folder_that_may_only_be_read_keeps_no_record(small, monkeypatch, tmp_path):
    """A class's data on a read-only disk."""
    file, arrays = small
    here = kept(tmp_path, file)
    here.parent.mkdir(parents=True)
    here.write_bytes(file.read_bytes())
    monkeypatch.setattr(folders, "fault", lambda folder: "Read-only file system")
    monkeypatch.setattr("pathlib.Path.write_text", lambda *args: pytest.fail("nothing can be written"))
    net = pretrained("small", nn=layers)
    np.testing.assert_array_equal(net.conv1.weight.data, arrays["features.0.weight"].numpy())
    assert [path.name for path in here.parent.iterdir()] == [file.name]
    here.unlink()
    with pytest.raises(OSError, match=r"cannot be kept in .*torchvision \(Read-only file system\); set CNNLIB_DATA"):
        pretrained("small")


def test_offline_says_what_to_do(small, monkeypatch, tmp_path):
    monkeypatch.setenv("CNNLIB_OFFLINE", "1")
    with pytest.raises(OSError, match="CNNLIB_OFFLINE=1 forbids the network: fetch it .* https://download.pytorch.org"):
        pretrained("small")


def test_other_bytes_are_refused(small, served, tmp_path):
    file, _ = small
    file.write_bytes(file.read_bytes()[:-1] + b"x")
    with pytest.raises(OSError, match="could not be fetched from http://127.0.0.1.*hash"):
        pretrained("small")
    assert not kept(tmp_path, file).exists()


def test_a_missing_file_is_told(small, served):
    small[0].unlink()
    with pytest.raises(OSError, match="could not be fetched from .*404"):
        pretrained("small")


def test_the_whole_checksum_holds_from_the_first_use_on(small, served, tmp_path):
    file, _ = small
    pretrained("small")
    here = kept(tmp_path, file)
    record = here.with_suffix(".sha256")
    assert record.read_text().split() == [hashlib.sha256(file.read_bytes()).hexdigest(), file.name]
    here.write_bytes(here.read_bytes()[:-1] + b"x")
    with pytest.raises(OSError, match="is damaged: its sha256 is .* Delete it"):
        pretrained("small")
    here.write_bytes(file.read_bytes())
    record.write_text(record.read_text()[:8] + "0" * 56 + f"  {file.name}\n")  # another file of the same eight digits
    with pytest.raises(OSError, match="is damaged"):
        pretrained("small")


def test_a_file_that_would_run_code_is_not_read(small, served):
    file, _ = small

    class Trap:
        def __reduce__(self):
            return print, ("run",)

    torch.save(Trap(), file)
    digits = hashlib.sha256(file.read_bytes()).hexdigest()
    trap = file.rename(file.with_name(f"trap-{digits[:8]}.pth"))
    module_of("PUBLISHED")["small"] = (module_of("PUBLISHED")["small"][0], trap.name)
    with pytest.raises(Exception, match="[Ww]eights.only|unsupported|Unsupported"):
        pretrained("small")


def test_names_that_are_not_published():
    with pytest.raises(ValueError, match="`name` is 'resnet51'; it must be one of 'alexnet', 'vgg11'"):
        pretrained("resnet51")


def test_every_published_file_tells_its_digits():
    for factory, file in module_of("PUBLISHED").values():
        assert len(module_of("_digits")(file)) == 8 and int(module_of("_digits")(file), 16)
        assert callable(factory)


def test_published_input():
    x = np.full((2, 3, 4, 5), 0.5, dtype="float32")
    out = published_input(x)
    assert out.dtype == "float32" and out.shape == x.shape
    np.testing.assert_allclose(out[0, :, 0, 0], [(0.5 - 0.485) / 0.229, (0.5 - 0.456) / 0.224, (0.5 - 0.406) / 0.225],
                               rtol=1e-6)
    # torchvision's googlenet turns ImageNet's scale back: x σ/0.5 + (μ - 0.5)/0.5
    pixels = np.random.default_rng(0).random((1, 3, 2, 2)).astype("float32")
    mean, deviation = (np.array(v, "float32")[:, None, None] for v in ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)))
    np.testing.assert_allclose(published_input(pixels, "googlenet"),
                               published_input(pixels) * deviation / 0.5 + (mean - 0.5) / 0.5, atol=1e-6)
    assert torch.equal(published_input(torch.tensor(x)), torch.tensor(out))
    with pytest.raises(ValueError, match=r"`x` has shape \(3, 4, 5\)"):
        published_input(x[0])


@pytest.mark.parametrize("prepare, name, shape", [
    (published_input, "x", (2, 3, 4, 5)), (published_crop, "image", (8, 9, 3))])
def test_pixels_are_floats_from_0_to_1(prepare, name, shape, rng):
    """Those from 0 to 255 would be a picture a thousand times as bright, and no error."""
    pixels = rng.integers(0, 256, shape, dtype="uint8")
    pixels.flat[:2] = 0, 255
    with pytest.raises(TypeError, match=f"`{name}` has dtype uint8; pixels are floats .*: {name} / 255 turns"):
        prepare(pixels)
    with pytest.raises(ValueError, match=rf"`{name}` has values from 0 to 255; pixels must be in \[0, 1\]"):
        prepare(pixels.astype("float32"))
    with pytest.raises(ValueError, match=f"`{name}` has values from -1 to 1;"):
        prepare(pixels / 127.5 - 1)
    scaled = pixels / 255
    assert np.isfinite(prepare(scaled)).all()
    scaled.flat[7] = np.nan
    with pytest.raises(ValueError, match=f"`{name}` has values from nan to nan"):
        prepare(scaled)


def test_pixels_that_are_tensors():
    x = torch.rand(1, 3, 4, 5)
    with pytest.raises(ValueError, match=r"`x` has values from 0 to 255"):
        published_input(torch.linspace(0, 255, 60).reshape(x.shape))
    with pytest.raises(TypeError, match="`x` has dtype uint8"):
        published_input(x.to(torch.uint8))
    x.requires_grad_()  # a picture that is changed until a class is seen in it
    assert published_input(x).requires_grad and published_input(x[:0]).shape == (0, 3, 4, 5)
