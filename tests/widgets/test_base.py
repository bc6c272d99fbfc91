"""What all widgets share in Python: state, bytes, code, picture, sentence, the joined module."""

import base64
import importlib
import io
import json
import re
import shutil
import subprocess
import sys

import numpy as np
import pytest

pytest.importorskip("anywidget")

from PIL import Image

from cnnlib import widgets
from cnnlib.widgets import ConvolutionMicroscope, ShapeBuilder, _base, _compose

IMAGE, KERNEL = np.arange(20.0).reshape(4, 5), np.ones((2, 2))
MAKERS = {
    "microscope": lambda **state: ConvolutionMicroscope(IMAGE, KERNEL, **state),
    "photo": lambda **state: ConvolutionMicroscope("camera", np.ones((5, 5)) / 25, **state),
    "builder": lambda **state: ShapeBuilder((3, 32, 32), ["conv 10 5 1 2", "max 2", "linear 10"], **state),
}
every = pytest.mark.parametrize("make", MAKERS.values(), ids=MAKERS)


def test_import_is_light():
    code = ("import sys, cnnlib.widgets;"
            "print(sorted({'anywidget', 'ipywidgets', 'matplotlib', 'torch'} & set(sys.modules)))")
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"
    assert {"ConvolutionMicroscope", "ShapeBuilder"} <= set(dir(widgets))
    with pytest.raises(AttributeError, match="has no attribute 'Microscope'"):
        widgets.Microscope  # noqa: B018


def test_missing_package_is_named(monkeypatch):
    def fails(name):
        raise ModuleNotFoundError("No module named 'anywidget'", name="anywidget")

    monkeypatch.setattr(importlib, "import_module", fails)
    with pytest.raises(ImportError, match="ShapeBuilder needs the package anywidget: pip install anywidget"):
        widgets.__getattr__("ShapeBuilder")


@every
def test_module_is_small_and_whole(make, tmp_path):
    module = make()._esm
    assert len(module.encode()) <= 60_000
    assert not re.search(r"^import ", module, re.MULTILINE)
    assert re.findall(r"^export .*", module, re.MULTILINE) == ["export default { render };"]
    for banned in (r"\beval\(", r"new Function", r"https?://", r"@import", r"url\(", r"\d+vh\b", r"\.id\s*="):
        assert not re.search(banned, module + make()._css), banned
    if shutil.which("node"):
        (tmp_path / "widget.mjs").write_text(module, encoding="utf-8")
        subprocess.run(["node", "--check", tmp_path / "widget.mjs"], check=True)


def test_compose_refuses_clashes_and_other_imports(tmp_path, monkeypatch):
    monkeypatch.setattr(_compose, "STATIC", tmp_path)
    (tmp_path / "a.js").write_text('import { twice } from "./b.js";\nconst once = 1; // here\nexport { once };\n')
    (tmp_path / "b.js").write_text("// two\nfunction twice(x) {\n  return 2 * x;\n}\n\nexport { twice };\n")
    assert _compose.join("a.js") == "function twice(x){return 2*x;}\nconst once=1;"
    (tmp_path / "b.js").write_text("const once = 2;\nexport { once };\n")
    with pytest.raises(ValueError, match="a.js and b.js both declare `once`"):
        _compose.join("a.js")
    (tmp_path / "b.js").write_text('import x from "y";\n')
    with pytest.raises(ValueError, match="b.js: `import x from \"y\";` is not a one-line import"):
        _compose.join("a.js")


def test_joining_leaves_texts_alone(tmp_path, monkeypatch):
    monkeypatch.setattr(_compose, "STATIC", tmp_path)
    (tmp_path / "a.js").write_text('const words = "a = b, // c { d }" + `e => ${f ? "g : h" : 1}, i`;\n')
    assert _compose.join("a.js") == 'const words="a = b, // c { d }"+`e => ${f ? "g : h" : 1}, i`;'


@every
def test_bundle(make):
    """A cell's output: the view, a picture, the sentence; the picture's alt text is the sentence."""
    widget = make()
    data, metadata = widget._repr_mimebundle_()
    assert data["text/plain"] == repr(widget) == widget.sentence()
    assert metadata["image/png"]["alt"] == widget.sentence()
    assert data["application/vnd.jupyter.widget-view+json"]["model_id"] == widget.model_id
    picture = base64.b64decode(data["image/png"])
    assert len(picture) <= 40_000
    with Image.open(io.BytesIO(picture)) as opened:
        assert opened.format == "PNG" and min(opened.size) > 100
    assert "0x" not in repr(widget)


@every
def test_shown_by_ipython_as_a_bundle(make):
    """Not by ipywidgets 7's _ipython_display_, which knows neither picture nor sentence."""
    from IPython.core.formatters import DisplayFormatter

    data, metadata = DisplayFormatter().format(make())
    assert set(data) >= {"text/plain", "image/png", "application/vnd.jupyter.widget-view+json"}
    assert metadata["image/png"]["alt"] == data["text/plain"] == make().sentence()


def test_the_same_in_every_process():
    code = ("from cnnlib.widgets import *; import hashlib;"
            "w = [ConvolutionMicroscope([[1, 2], [3, 4]], [[1, -1]]), ShapeBuilder()];"
            "print([(repr(x), x.code(), hashlib.sha256(x.picture()).hexdigest()) for x in w])")
    command = [sys.executable, "-c", code]
    runs = [subprocess.run(command, capture_output=True, text=True, check=True).stdout for _ in range(2)]
    assert runs[0] == runs[1] and "Row 1, conv" in runs[0]


def test_array_travels_as_bytes():
    widget = ConvolutionMicroscope([[1, np.nan], [-0.0, 1e-40]], [[1]])
    sent = widget.get_state("image")["image"]
    assert (sent["shape"], sent["dtype"], len(sent["data"])) == ([2, 2], "float32", 16)
    heard = []
    widget.observe(heard.append, "image")
    widget.set_state({"image": {**sent, "data": memoryview(sent["data"])}})
    assert heard == []  # NaN equals NaN: nothing has changed
    changed = np.float32([[1, 2], [np.nan, 4]])
    widget.set_state({"image": {"shape": [2, 2], "dtype": "float32", "data": memoryview(changed.tobytes())}})
    np.testing.assert_array_equal(widget.image, changed)
    assert len(heard) == 1 and not widget.image.flags.writeable
    with pytest.raises(Exception, match=r"`image` has shape \(3,\); it must have 2 or 3 axes"):
        widget.image = [1, 2, 3]
    with pytest.raises(Exception, match="`image` must be an array of numbers"):
        widget.image = "cat pictures"


@every
def test_code_and_reset(make):
    widget = make(size="projector", hide=("bias",), predict=True)
    start = widget.code()
    again = eval(start, {"ConvolutionMicroscope": ConvolutionMicroscope, "ShapeBuilder": ShapeBuilder})
    assert again.code() == start and again.sentence() == widget.sentence()
    assert 'size="projector"' in start and 'hide=("bias",)' in start
    changes = {"stride": 2, "padding": (1, 0), "flip": True, "kernel": [[1, 0], [0, 1]]}
    if isinstance(widget, ShapeBuilder):
        changes = {"rounding": "drop", "focus": 0}
    for name, value in changes.items():
        setattr(widget, name, value)
    assert widget.code() != start
    widget.reset()
    assert widget.code() == start


@every
def test_state_at_the_start(make):
    """At most a photo of 512×512 goes out; the way back to the start does not send it twice."""
    widget = make()
    bytes_sent = sum(len(text) for _, text in json.loads(widget.record())["buffers"]) * 3 // 4
    assert bytes_sent <= 2**20 + 10_000
    assert set(widget._start) <= set(widget._opening) and "size" in widget._start


def test_widgets_link():
    import traitlets

    first, second = MAKERS["microscope"](), MAKERS["microscope"]()
    traitlets.dlink((first, "kernel"), (second, "kernel"))  # link compares by !=, which arrays do not answer
    traitlets.link((first, "stride"), (second, "stride"))
    first.kernel, second.stride = [[1, 2], [3, 4]], 2
    assert first.output.shape == (2, 2)
    np.testing.assert_array_equal(second.output, first.output)


@every
def test_save_html(make, tmp_path):
    make().save_html(tmp_path / "page.html")
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert page.count("<script") == page.count("</script>") == 1
    assert "http" not in page and make()._css in page


def test_array_trait_takes_none():
    class Holder(_base.CourseWidget):
        picture_of = _base.Array(2)

        def sentence(self):
            return "nothing"

    assert Holder().picture_of is None and Holder().code() == "Holder()"
