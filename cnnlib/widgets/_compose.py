"""Joining the JavaScript of a widget: one module out of many files, without a build step.

anywidget loads a widget's module from a blob, where ``import "./kit/grid.js"`` finds nothing. So a file imports by
one-line ``import { a, b } from "./kit/x.js";``, exports by one last ``export { a, b };``, node loads it as it is,
and a page gets the files joined, without comments and without what only people need to read: most spaces and line
breaks, brackets round one argument, the last semicolon of a block, ``const`` after ``const``, ``true`` for ``!0``.
Functions of the kit that a widget does not name are left out; those that are called only, and never handed on or kept
under their name, get a short one.
So every statement ends in a semicolon or a brace and none is empty, a regular expression has neither quote nor space
in it, and a template has no template in it.
"""

import re
from collections import Counter
from pathlib import Path

import numpy as np

STATIC = Path(__file__).with_name("static")

_IMPORT = re.compile(r'^import \{ [^}]+ \} from "(\.[^"]+)";\n', re.MULTILINE)
_EXPORT = re.compile(r"^export \{ [^}]+ \};\n", re.MULTILINE)
_TEXT = r"""("(?:\\.|[^"\\\n])*"|`(?:\\.|[^`\\])*`)"""  # kept as it is
_TOKEN = re.compile(_TEXT + r"""|(?:^|(?<=\s))//[^\n]*"""  # a comment
                    r"""| ?(===|!==|=>|&&|\|\||\?\?|[<>*]=?|[=?:,;{}()%]|[-+/](?= [^-+/])) ?""", re.MULTILINE)
_BREAK = re.compile(r"^\s+|(?<=[;{},(])\s*\n|[ ]+$", re.MULTILINE)
_SPARE = re.compile(_TEXT + r"""|(?<!\w)\((\w+)\)(?==>)"""  # (x)=>, not return(x)=>
                    r"""|;(?=})|,(?=[}\])])"""  # the last one in a block or a list
                    r"""|(?<![\w.])0(?=\.\d)""")  # 0.5
_TIGHT = re.compile(_TEXT + r"""|\b(?:return|const|let|of|in) (?=\[)|\breturn (?=["`!/])|\] (?=of\b)| [-+*/|]=""")
_NAME = re.compile(r"(\.\.\.|\.)?\b([A-Za-z_]\w*)(\()?")  # of a property; called
_BRACKET = re.compile(r"[()]")
_INNER = re.compile(r"\$\{[^{}`]*\}")  # of a template
_WORD = re.compile(_TEXT + r"""|(?<![\w.])(true|false)\b""")
_NESTED = re.compile(r"`[^`\n]*\$\{[^}`\n]*`[^\n]*")
_ESCAPE = re.compile(r"\\u([0-9a-f]{4})")
_FUNCTION = re.compile(r"^(?:async )?function (\w+)\((?:[^\n]*\}\n|[^\n]*\{\n.*?^\}\n)", re.MULTILINE | re.DOTALL)
_DECLARED = re.compile(r"^(?:async )?(?:function|const|let|class) (\w+)", re.MULTILINE)


def files(*names):
    """Return the files that the named ones need, themselves included, each after those it imports."""
    found = []

    def visit(path):
        if path in found:
            return
        for target in _IMPORT.findall(path.read_text(encoding="utf-8")):
            visit((path.parent / target).resolve())
        found.append(path)

    for name in names:
        visit((STATIC / name).resolve())
    return found


def join(*names):
    """Return the named files and all they import as one text without imports, exports and comments.

    Raises
    ------
    ValueError
        Two files declare the same name at their top level, a file imports in another form, or a template stands in
        a template.
    """
    owner, texts, kept = {}, [], []
    for path in files(*names):
        raw = path.read_text(encoding="utf-8")
        if path.name in names:
            kept += re.findall(r"\w+", "".join(_EXPORT.findall(raw)))
        text = _EXPORT.sub("", _IMPORT.sub("", raw))
        if left := re.search(r"^(?:import|export)\b.*", text, re.MULTILINE):
            raise ValueError(f"{path.name}: `{left[0]}` is not a one-line import or a last export of names")
        if nested := _NESTED.search(text):
            raise ValueError(f"{path.name}: a template in a template, `{nested[0]}`: build the inner one first")
        for name in _DECLARED.findall(text):
            if name in owner:
                raise ValueError(f"{path.name} and {owner[name]} both declare `{name}` at their top level")
            owner[name] = path.name
        texts.append(text)
    return _renamed("".join(map(_shortened, _needed(texts, kept))), kept)


def _renamed(text, kept):
    """Give each function that is only called, never named otherwise, a name of two or three letters."""
    pieces = re.split(_TEXT, text)  # code, a text, code, ...
    templates = [piece for piece in pieces[1::2] if piece[0] == "`"]
    code = "\n".join([*pieces[::2], *(part for piece in templates for part in _INNER.findall(piece))])
    made = Counter(re.findall(r"(?<![\w$.])function (\w+)\(", code))
    other = Counter(re.findall(r"\w+", " ".join(_INNER.sub("", piece) for piece in templates)))  # words, or code?
    for match in _NAME.finditer(code):
        if match[1] != "." and (not match[3] or _is_method(code, match.end())):
            other[match[2]] += 1  # no property, and not called
    short = [name for name in made if other[name] == made[name] and name not in kept]
    short = {name: f"${np.base_repr(k, 36).lower()}" for k, name in enumerate(short)}

    def rename(code):
        return _NAME.sub(lambda m: m[0] if m[1] == "." else f"{m[1] or ''}{short.get(m[2], m[2])}{m[3] or ''}", code)

    pieces[::2] = map(rename, pieces[::2])
    pieces[1::2] = [_INNER.sub(lambda m: rename(m[0]), piece) if piece[0] == "`" else piece for piece in pieces[1::2]]
    return "".join(pieces)


def _is_method(code, start):
    """Whether the bracket that opened just before `start` holds the parameters of a function, whose body follows."""
    depth = 1
    for match in _BRACKET.finditer(code, start):
        depth += 1 if match[0] == "(" else -1
        if depth == 0:
            return code[match.end():match.end() + 1] == "{"
    return True


def _needed(texts, kept):
    """Leave out the functions whose name stands nowhere but where they begin; `kept` are the names that stay."""
    times = Counter(re.findall(r"\w+", " ".join(texts)))
    fewer = [_FUNCTION.sub(lambda m: m[0] if times[m[1]] > 1 or m[1] in kept else "", text) for text in texts]
    return texts if fewer == texts else _needed(fewer, kept)


def _shortened(text):
    """Return a file without what only people need to read."""
    text = _BREAK.sub("", _TOKEN.sub(_kept, text))
    text = _merged(_WORD.sub(lambda m: m[1] or {"true": "!0", "false": "!1"}[m[2]], _SPARE.sub(_kept, text)))
    return _TIGHT.sub(lambda m: m[1] or m[0].replace(" ", ""), text)


def _merged(text):
    """Join neighbouring constants: ``const a=1;const b=2`` as ``const a=1,b=2``."""
    parts, fresh, constant = [], [True], [False]  # per open bracket: does a statement begin here, is it a const?
    for token in re.findall(_TEXT[:-1] + r"|const |[^\W\d]\w*|\s|.)", text, re.DOTALL):
        if token == "const " and fresh[-1]:
            if constant[-1] and parts[-1:] == [";"]:
                parts[-1], token = ",", ""
            fresh[-1], constant[-1] = False, True
        elif token in "([{":
            fresh[-1], constant[-1] = False, constant[-1] and not fresh[-1]
            fresh.append(token == "{")
            constant.append(False)
        elif token in ")]}":
            fresh.pop()
            constant.pop()
            fresh[-1] = token == "}" and not constant[-1]
        elif token == ";":
            fresh[-1] = True
        else:
            fresh[-1], constant[-1] = False, constant[-1] and not fresh[-1]
        parts.append(token)
    return "".join(parts)


def _kept(match):
    """Return what stays of a match: a text, or the part that is not spare."""
    text = match[1] and _ESCAPE.sub(lambda code: chr(int(code[1], 16)), match[1])
    return text or match[2] or ""


def compose(name):
    """Return the module of one widget, as anywidget wants it."""
    return join(name) + "\nexport default { render };\n"
