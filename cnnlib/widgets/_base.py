"""What all widgets share: state that Python holds, code that makes it, a picture and a sentence of it.

The only file that imports anywidget. Works with ipywidgets 7.7 (Colab) and 8.

How to add a widget, in five steps:

1. A class in a file of its own, named in ``__init__.py``'s ``_FILES``: its traits tagged ``sync=True, start=True``
   are its state, in the order in which they stand in ``code()``; ``positional``, ``controls``, ``sentence()`` and
   ``figure()``. It checks what it is given (an error names the argument, its value and what would work) and
   leaves arithmetic to ``cnnlib``.
2. ``static/<name>_words.js``: pure functions from the state to numbers, refusals and sentences, the same as
   Python's; arithmetic that others may need goes into ``static/kit/maths.js`` or a file of the kit beside it.
   ``tests/widgets/test_js.py`` draws the cases, ``tests/js/`` answers them.
3. ``static/<name>.js``: ``render({ model, el })`` calls the kit's ``mount(model, el, { name, title, idea, hands,
   predict, build })``. Keys first, pointer second: ``grid`` for numbers, ``photo`` for pictures, ``loupe`` for a
   piece of a picture, ``panel`` round each, ``steps`` to walk through cells, ``stepper``, ``toggle``, ``choice``,
   ``pick``, ``menu``, ``scrub`` and ``knob`` for the rest. ``state.preview`` follows a pointer without a message,
   ``state.commit`` is a message and a step of undo. The joined file stays below 60 kB.
4. One line in ``tests/widgets/examples.py``: an example of the widget, and a change that a hand can make. With it the
   batteries in ``tests/widgets/test_base.py`` and ``tests/browser/test_widgets.py`` try state, code, reset, undo,
   random actions, keys, sentences, pictures, themes, widths, views and memory. ``FAULTS`` in
   ``tests/widgets/test_js.py`` gets three lines: faults that are planted in its arithmetic, and must be found.
5. What is its own, driven in Chromium: ``tests/browser/test_<name>.py``, the lesson once by keys alone and once by
   pointer alone. Then look at it, in JupyterLab: light, dark, 680 pixels, projector.
"""

import base64
import difflib
import json

import anywidget
import numpy as np
import traitlets
from traitlets import Bool, Dict, Enum, List, Unicode

from cnnlib.widgets import _compose, _text

LITERAL = 81  # numbers; a larger array stands in code() by its name
BUTTONS = ("undo", "predict", "reset", "code", "help")


class Array(traitlets.TraitType):
    """An array of single-precision numbers that travels as bytes, so that NaN and every bit survive.

    The value is read-only: assign a new array instead of writing into it.
    """

    info_text = "an array of numbers"

    def __init__(self, *ndim, **kwargs):
        self.ndim = ndim
        super().__init__(default_value=None, allow_none=True, **kwargs)
        self.tag(to_json=_array_to_json, from_json=_array_from_json)

    def validate(self, obj, value):
        if value is None:
            return None
        try:
            if np.iscomplexobj(np.asarray(value)):
                raise TypeError("complex numbers have two parts, and .real, .imag and abs() choose one")
            array = np.array(value, dtype=np.float32, order="C")
        except (TypeError, ValueError) as error:
            raise traitlets.TraitError(f"`{self.name}` must be an array of numbers: {error}") from None
        if (self.ndim and array.ndim not in self.ndim) or not array.size:
            axes = " or ".join(map(str, self.ndim))
            raise traitlets.TraitError(
                f"`{self.name}` has shape {array.shape}; it must have {axes} axes and at least one number")
        array.flags.writeable = False
        return array

    def set(self, obj, value):
        """Set it, and notify only where a number differs (NaN equals NaN)."""
        new, old = self._validate(obj, value), obj._trait_values.get(self.name)
        if new is not None and _same(new, old):
            return
        obj._trait_values[self.name] = new
        if new is not old:
            obj._notify_trait(self.name, old, new)


def _array_to_json(value, widget):
    if value is None:
        return None
    return {"shape": list(value.shape), "dtype": "float32", "data": value.tobytes()}


def _array_from_json(value, widget):
    if value is None:
        return None
    return np.frombuffer(bytes(value["data"]), dtype=np.float32).reshape(value["shape"])


class CourseWidget(anywidget.AnyWidget):
    """The base of the course's widgets.

    Traits tagged ``start=True`` are the state: read them, assign them, link them; :meth:`reset` returns to what they
    were when the widget was made. A subclass gives `positional` (the traits that come first in a call), `controls`
    (what `hide` may name beside the buttons), `figure` and `sentence`.

    Parameters
    ----------
    size : {"normal", "projector"}
    scale : {"auto", "grey", "tone"}
        Grey levels or signed tones for the input; "auto" takes tones where there are negative numbers.
    hide : sequence of str
        Names of controls not to show: of the class's `controls` and of undo, predict, reset, code, help.
    predict : bool
        Hide the answer until a prediction is committed.

    Raises
    ------
    TypeError
        An option that the class does not have; the message names the nearest.
    """

    _ipython_display_ = None  # ipywidgets 7 would show the widget without picture and sentence

    size = Enum(["normal", "projector"], "normal").tag(sync=True, start=True)
    scale = Enum(["auto", "grey", "tone"], "auto").tag(sync=True, start=True)
    hide = List(Unicode()).tag(sync=True, start=True)
    predict = Bool(False).tag(sync=True, start=True)
    prediction = Dict().tag(sync=True)
    predictions = List(Dict()).tag(sync=True)
    readout = Unicode().tag(sync=True)
    _start = Dict().tag(sync=True)
    _code = Dict().tag(sync=True)

    positional = ()
    controls = ()

    def __init__(self, **state):
        self._names, self._extra = {}, {}
        self._check_options(state)
        super().__init__(**{name: list(value) if name == "hide" else value for name, value in state.items()})
        self._opening = {name: getattr(self, name) for name in self._state_names()}
        start = {name: self._to_json(name) for name, value in self._opening.items() if not _is_large(value)}
        with self.hold_sync():
            self._start = start
            self._tell_code()

    def _tell_code(self):
        """Tell the browser how this class's call is written; again where a name has come to be known."""
        self._code = {"name": type(self).__name__, "positional": list(self.positional), "names": dict(self._names),
                      "extra": dict(self._extra),
                      "defaults": {name: self._plain_default(name) for name in self._opening}}

    def _plain_default(self, name):
        default = self._default(name)
        return _array_to_json(default, self) if isinstance(default, np.ndarray) else default

    def _check_options(self, state):
        names = self._state_names()
        for option in state:
            known = option in names or option.startswith("_") or option in anywidget.AnyWidget.class_trait_names()
            if not known:
                near = difflib.get_close_matches(option, names, 1)
                meant = f"; did you mean {near[0]!r}?" if near else ""
                raise TypeError(f"{type(self).__name__} has no option {option!r}{meant} (options: {', '.join(names)})")

    @traitlets.validate("hide")
    def _check_hide(self, proposal):
        known = (*self.controls, *BUTTONS)
        for name in proposal.value:
            if name not in known:
                raise traitlets.TraitError(f"`hide` has {name!r}; a {type(self).__name__} can hide {', '.join(known)}")
        return proposal.value

    def _state_names(self):
        """Return the names of the traits that are the state, the class's own ones first."""
        own = [name for name in self.trait_names(start=True) if name not in CourseWidget.class_trait_names()]
        order = {name: place for cls in reversed(type(self).__mro__) for place, name in enumerate(cls.__dict__)}
        shared = ("size", "scale", "hide", "predict")
        return [*sorted(own, key=lambda name: order.get(name, len(order))), *shared]

    def _to_json(self, name):
        convert = self.trait_metadata(name, "to_json")
        return convert(getattr(self, name), self) if convert else getattr(self, name)

    def _default(self, name):
        return self.traits()[name].default(self)

    def code(self):
        """Return the call that makes what is on screen; large arrays stand in it by their name."""
        parts = [self._written(name) for name in self.positional]
        parts += [f"{name}={self._written(name)}" for name in self._opening
                  if name not in self.positional and not _same(getattr(self, name), self._default(name))]
        parts += [f"{name}={value}" for name, value in self._extra.items()]
        return f"{type(self).__name__}({', '.join(parts)})"

    def _written(self, name):
        value = getattr(self, name)
        if name in self._names:
            return self._names[name]
        return name if isinstance(value, np.ndarray) and value.size > LITERAL else _text.literal(value)

    def reset(self):
        """Return to the state in which the widget was made."""
        with self.hold_sync():
            for name, value in self._opening.items():
                setattr(self, name, value)

    def sentence(self):
        """Return what is true now, in one or two sentences."""
        raise NotImplementedError

    def figure(self):
        """Return a matplotlib figure of the present state."""
        raise NotImplementedError

    def picture(self):
        """Return the present state as a PNG of at most 40 kB, for pages without a kernel."""
        from cnnlib.widgets._picture import png

        return png(self.figure())

    def __repr__(self):
        return self.sentence()

    def _repr_mimebundle_(self, **kwargs):
        bundle = super()._repr_mimebundle_(**kwargs)
        if bundle is None:
            return None
        data, metadata = bundle
        words = self.sentence()
        data["text/plain"] = words
        data["image/png"] = base64.b64encode(self.picture()).decode()
        return data, {**metadata, "image/png": {"alt": words}}

    def save_html(self, path):
        """Write the widget into one file that needs neither kernel nor network, for pages and slides."""
        host = _compose.join(type(self).javascript, "host.js")
        page = (f'<!doctype html>\n<html lang="en">\n<meta charset="utf-8">\n<title>{type(self).__name__}</title>\n'
                f'<style>body {{ margin: 1em; max-width: 60em; }}\n{self._css}</style>\n<div id="widget"></div>\n'
                f'<script type="module">\n{host}\nconst record = {self.record()};\n'
                'render({ model: hostModel(record), el: document.getElementById("widget") });\n</script>\n')
        with open(path, "w", encoding="utf-8") as file:
            file.write(page)

    def record(self):
        """Return the whole state as JSON, bytes in base64: what ``hostModel`` of static/host.js reads."""
        buffers = []

        def plain(value, path):
            if isinstance(value, bytes):
                buffers.append([path, base64.b64encode(value).decode()])
                return None
            if isinstance(value, dict):
                return {key: plain(v, [*path, key]) for key, v in value.items()}
            if isinstance(value, list | tuple):
                return [plain(v, [*path, place]) for place, v in enumerate(value)]
            return value

        names = [name for name in self.trait_names(sync=True) if name not in _HOUSEKEEPING]
        state = {name: plain(self._to_json(name), [name]) for name in sorted(names)}
        return json.dumps({"state": state, "buffers": buffers}).replace("</", "<\\/")


_HOUSEKEEPING = {*anywidget.AnyWidget.class_trait_names(), "_esm", "_css", "_anywidget_id"}


def _same(one, other):
    if isinstance(one, np.ndarray) and isinstance(other, np.ndarray):
        return np.array_equal(one, other, equal_nan=True)
    return type(one) is type(other) and not isinstance(one, np.ndarray) and one == other


def _is_large(value):
    """Photos are not sent twice: no hand can change their pixels."""
    return isinstance(value, np.ndarray) and max(value.shape[-2:]) > 16


def style():
    """Return the style sheet that all widgets share."""
    return (_compose.STATIC / "kit" / "kit.css").read_text(encoding="utf-8")
