"""What all widgets owe in Python: state, bytes, code, picture, sentence, the joined module. One battery for all."""

import base64
import hashlib
import importlib
import io
import json
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("anywidget")

from examples import EXAMPLES, each, microscope
from node import NODE
from PIL import Image

from cnnlib import widgets
from cnnlib.widgets import _base, _compose

every = each()
FIRST = {example.widget: name for name, example in reversed(EXAMPLES.items())}
of_each_class = each(*FIRST.values())


def state_of(widget):
    """Return the whole state as values that can be compared."""
    return {name: value.tolist() if isinstance(value := getattr(widget, name), np.ndarray) else value
            for name in widget._opening}


def changed(widget, changes):
    for name, value in changes.items():
        setattr(widget, name, value)
    return widget


def test_every_widget_has_an_example():
    """A new widget stands in ``examples.py`` with a line of its own, or this fails."""
    classes = [getattr(widgets, name) for name in widgets.__all__]
    owed = {cls.__name__ for cls in classes if issubclass(cls, _base.CourseWidget)}
    assert owed and owed == {example.widget for example in EXAMPLES.values()}


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


@of_each_class
def test_module_is_small_and_whole(example, tmp_path):
    module = example()._esm
    assert len(module.encode()) <= 60_000
    assert not re.search(r"^import ", module, re.MULTILINE)
    assert re.findall(r"^export .*", module, re.MULTILINE) == ["export default { render };"]
    for banned in (r"\beval\(", r"new Function", r"https?://", r"@import", r"url\(", r"\d+vh\b", r"\.id\s*=",
                   r'"wheel"'):
        assert not re.search(banned, module + example()._css), banned
    if NODE:
        (tmp_path / "widget.mjs").write_text(module, encoding="utf-8")
        subprocess.run([NODE, "--check", tmp_path / "widget.mjs"], check=True)


def test_compose_refuses_clashes_other_imports_and_nested_templates(tmp_path, monkeypatch):
    monkeypatch.setattr(_compose, "STATIC", tmp_path)
    (tmp_path / "a.js").write_text(
        'import { twice } from "./b.js";\nconst once = twice(1); // here\nexport { once };\n')
    (tmp_path / "b.js").write_text("// two\nfunction twice(x) {\n  return 2 * x;\n}\n\nexport { twice };\n")
    assert _compose.join("a.js") == "function $0(x){return 2*x}const once=$0(1);"
    (tmp_path / "b.js").write_text("const once = 2;\nexport { once };\n")
    with pytest.raises(ValueError, match="a.js and b.js both declare `once`"):
        _compose.join("a.js")
    (tmp_path / "b.js").write_text('import x from "y";\n')
    with pytest.raises(ValueError, match="b.js: `import x from \"y\";` is not a one-line import"):
        _compose.join("a.js")
    (tmp_path / "b.js").write_text("const twice = `${a ? ` + ${b}` : c}`;\n")
    with pytest.raises(ValueError, match="b.js: a template in a template"):
        _compose.join("a.js")


def test_joining_leaves_out_what_is_not_called(tmp_path, monkeypatch):
    """By name, until no more goes; what the widget's own file exports stays, whoever may call it."""
    monkeypatch.setattr(_compose, "STATIC", tmp_path)
    (tmp_path / "a.js").write_text('import { used } from "./b.js";\nfunction render() { return used(1); }\n'
                                   "export { render };\n")
    (tmp_path / "b.js").write_text(
        "function inner() {\n  return 1;\n}\n\nfunction spare() {\n  if (inner()) {\n    return 2;\n  }\n}\n\n"
        "function used(x) { return x; }\nfunction short() { return 3; }\nconst more = [1].map((x) => x);\n"
        "export { inner, spare, used, short, more };\n")
    assert _compose.join("a.js") == \
        "function $0(x){return x}const more=[1].map(x=>x);function render(){return $0(1)}"


@pytest.mark.parametrize("written, joined", [
    ('const words = "a = b, // c { d }" + `e => ${f ? "g : h" : 1}, i`;\n',
     'const words="a = b, // c { d }"+`e => ${f ? "g : h" : 1}, i`;'),
    ('const minus = "\\u2212";\nconst plus = 1;\n', 'const minus="−",plus=1;'),
    ("const f = () => {\n  const a = 1;\n  const b = [a, 2,];\n  return (x) => x + b;\n};\nconst g = f;\n",
     "const f=()=>{const a=1,b=[a,2];return(x)=>x+b},g=f;"),
    ("for (const a of b) {\n  c(a);\n}\nconst d = 1;\n", "for(const a of b){c(a)}const d=1;"),
    ("if (a) b = async (c) => d((e) => e);\n", "if(a)b=async(c)=>d(e=>e);"),
    ("const a = b === true ? 0.5 : 10.5 * c.false;\n", "const a=b===!0?.5:10.5*c.false;"),
    ('for (const [a] of [b]) {\n  c += "d += e";\n}\nfunction f() {\n  return [a];\n}\nconst g = f;\n',
     'for(const[a]of[b]){c+="d += e"}function f(){return[a]}const g=f;'),
    # A function gets a short name where it is only called: in a template, after a spread, beside a property of its
    # name, and not where a key, a method, a constant or a value has the name.
    ("function f(x) {\n  return x;\n}\nconst a = `x(${f(1)})`;\nconst b = [...f(2), c.f(3)];\nconst d = \"f(4)\";\n",
     'function $0(x){return x}const a=`x(${$0(1)})`,b=[...$0(2),c.f(3)],d="f(4)";'),
    ("function f() {\n  return 1;\n}\nconst a = { f: 2 };\nconst b = f();\n",
     "function f(){return 1}const a={f:2},b=f();"),
    ("function f() {\n  return 1;\n}\nconst a = { f(x) { return x; } };\nconst b = f();\n",
     "function f(){return 1}const a={f(x){return x}},b=f();"),
    ("function f() {\n  return 1;\n}\nconst a = { f };\n", "function f(){return 1}const a={f};"),
    ("function f() {\n  return 1;\n}\nconst a = { f(x = g(1)) { return x; } };\nconst b = f();\n",
     "function f(){return 1}const a={f(x=g(1)){return x}},b=f();"),
    ("function f() {\n  return 1;\n}\nconst a = `${f({ b: 1 })}`;\n",
     "function f(){return 1}const a=`${f({ b: 1 })}`;"),
])
def test_joining_changes_no_meaning(tmp_path, monkeypatch, written, joined):
    monkeypatch.setattr(_compose, "STATIC", tmp_path)
    (tmp_path / "a.js").write_text(written, encoding="utf-8")
    assert _compose.join("a.js") == joined


@of_each_class
def test_bundle(example):
    """A cell's output: the view, a picture, the sentence; the picture's alt text is the sentence."""
    widget = example()
    data, metadata = widget._repr_mimebundle_()
    assert data["text/plain"] == repr(widget) == widget.sentence()
    assert metadata["image/png"]["alt"] == widget.sentence()
    assert data["application/vnd.jupyter.widget-view+json"]["model_id"] == widget.model_id
    assert "0x" not in repr(widget)
    with Image.open(io.BytesIO(base64.b64decode(data["image/png"]))) as opened:
        assert opened.format == "PNG"


@every
def test_every_picture_is_small_and_hides_what_is_hidden(example):
    pictures = [example().picture(), example(predict=True).picture(), changed(example(), example.change).picture()]
    pictures += [changed(example(), example.refused).picture()] if example.refused else []
    for picture in pictures:
        assert len(picture) <= 40_000
        with Image.open(io.BytesIO(picture)) as opened:
            assert opened.format == "PNG" and min(opened.size) > 100
    assert len(set(pictures)) == len(pictures)  # each state has a picture of its own


@of_each_class
def test_shown_by_ipython_as_a_bundle(example):
    """Not by ipywidgets 7's _ipython_display_, which knows neither picture nor sentence."""
    from IPython.core.formatters import DisplayFormatter

    data, metadata = DisplayFormatter().format(example())
    assert set(data) >= {"text/plain", "image/png", "application/vnd.jupyter.widget-view+json"}
    assert metadata["image/png"]["alt"] == data["text/plain"] == example().sentence()


def test_the_same_in_every_process():
    code = ("import sys, hashlib; sys.path.insert(0, sys.argv[1]); from examples import EXAMPLES;"
            "made = [example() for example in EXAMPLES.values()];"
            "print([(repr(x), x.code(), hashlib.sha256(x.picture()).hexdigest()) for x in made])")
    command = [sys.executable, "-c", code, str(Path(__file__).parent)]
    other = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout
    made = [example() for example in EXAMPLES.values()]
    here = [(repr(x), x.code(), hashlib.sha256(x.picture()).hexdigest()) for x in made]
    assert other.strip() == repr(here) and "Row 5, linear" in other


@every
def test_code_makes_the_same_state(example):
    widget = changed(example(size="projector", hide=("reset",), predict=True), example.change)
    again = example.again(widget.code())
    assert state_of(again) == state_of(widget)
    assert again.code() == widget.code() and again.sentence() == widget.sentence()
    assert 'size="projector"' in widget.code() and 'hide=("reset",)' in widget.code()


@every
def test_reset(example):
    widget = example()
    start, code = state_of(widget), widget.code()
    changed(widget, example.change | {"size": "projector"})
    assert state_of(widget) != start and widget.code() != code
    widget.reset()
    assert state_of(widget) == start and widget.code() == code


@of_each_class
def test_misspelt_options_are_refused(example):
    first = next(name for name in example()._opening if name not in example().positional)
    with pytest.raises(TypeError, match=f"{example.widget} has no option '{first}s'; did you mean '{first}'"):
        example(**{f"{first}s": 1})
    with pytest.raises(Exception, match=f"`hide` has 'resett'; a {example.widget} can hide .*reset, code, help"):
        example(hide=("resett",))
    for out in set(example().trait_names(sync=None)) - set(example().trait_names(start=True)) - {"comm", "keys", "log"}:
        if not out.startswith("_") and out in type(example()).__dict__:
            with pytest.raises(TypeError, match=f"has no option '{out}'"):
                example(**{out: None})


@every
def test_state_at_the_start(example):
    """At most a photo of 512×512 goes out; the way back to the start does not send it twice."""
    widget = example()
    bytes_sent = sum(len(text) for _, text in json.loads(widget.record())["buffers"]) * 3 // 4
    assert bytes_sent <= 2**20 + 10_000
    assert set(widget._start) <= set(widget._opening) and "size" in widget._start
    assert [*widget._code["defaults"]] == [*widget._opening]


@of_each_class
def test_save_html(example, tmp_path):
    example().save_html(tmp_path / "page.html")
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert page.count("<script") == page.count("</script>") == 1
    assert "http" not in page and example()._css in page


def test_array_travels_as_bytes():
    widget = microscope(image=[[1, np.nan], [-0.0, 1e-40]], kernel=[[1]])
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
    for values in ([[1 + 5j, 2], [3, 4]], np.full((2, 2), 1 + 0j)):
        with pytest.raises(Exception, match=r"`image` must be an array of numbers: complex numbers have two parts"):
            widget.image = values


def test_widgets_link():
    import traitlets

    first, second = microscope(), microscope()
    traitlets.dlink((first, "kernel"), (second, "kernel"))  # link compares by !=, which arrays do not answer
    traitlets.link((first, "stride"), (second, "stride"))
    first.kernel, second.stride = [[1, 2], [3, 4]], 2
    assert first.output.shape == (3, 3)
    np.testing.assert_array_equal(second.output, first.output)


def test_arrays_need_not_be_given():
    class Holder(_base.CourseWidget):
        other = _base.Array(2).tag(sync=True, start=True)

        def sentence(self):
            return "nothing"

    assert Holder().other is None and Holder().code() == "Holder()"
    assert Holder(other=[[1, 2]]).code() == "Holder(other=[[1, 2]])"
    assert Holder(other=np.zeros((9, 10))).code() == "Holder(other=other)"
