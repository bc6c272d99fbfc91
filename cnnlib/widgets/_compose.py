"""Joining the JavaScript of a widget: one module out of many files, without a build step.

anywidget loads a widget's module from a blob, where ``import "./kit/grid.js"`` finds nothing. So a file imports by
one-line ``import { a, b } from "./kit/x.js";``, exports by one last ``export { a, b };``, node loads it as it is,
and a page gets the files joined, without comments and without most spaces and line breaks. So a regular expression
has neither quote nor space in it, and a template no template.
"""

import re
from pathlib import Path

STATIC = Path(__file__).with_name("static")

_IMPORT = re.compile(r'^import \{ [^}]+ \} from "(\.[^"]+)";\n', re.MULTILINE)
_EXPORT = re.compile(r"^export \{ [^}]+ \};\n", re.MULTILINE)
_TOKEN = re.compile(r"""("(?:\\.|[^"\\\n])*"|`(?:\\.|[^`\\])*`)"""  # a text, kept as it is
                    r"""|(?:^|(?<=\s))//[^\n]*"""  # a comment
                    r"""| ?(===|!==|=>|&&|\|\||\?\?|[<>*]=?|[=?:,;{}()]|[-+/](?= [^-+/])) ?""", re.MULTILINE)
_BREAK = re.compile(r"^\s+|(?<=[;{,(])\s*\n|[ ]+$", re.MULTILINE)
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
        Two files declare the same name at their top level, or a file imports in another form.
    """
    owner, parts = {}, []
    for path in files(*names):
        text = _EXPORT.sub("", _IMPORT.sub("", path.read_text(encoding="utf-8")))
        if left := re.search(r"^(?:import|export)\b.*", text, re.MULTILINE):
            raise ValueError(f"{path.name}: `{left[0]}` is not a one-line import or a last export of names")
        for name in _DECLARED.findall(text):
            if name in owner:
                raise ValueError(f"{path.name} and {owner[name]} both declare `{name}` at their top level")
            owner[name] = path.name
        parts.append(_BREAK.sub("", _TOKEN.sub(lambda m: m[1] or m[2] or "", text)))
    return "".join(parts)


def compose(name):
    """Return the module of one widget, as anywidget wants it."""
    return join(name) + "export default { render };\n"
