"""Links between the project's own pages lead somewhere; a lecture that is not written yet has none."""

import re
from pathlib import Path
from urllib.parse import unquote

import pytest
from checkout import ROOT, notebooks, source, texts

LINK = re.compile(r"\]\(\s*<?([^)\s>]+)>?[^)]*\)|(?:href|src)\s*=\s*[\"']([^\"']+)[\"']")
SCHEME = re.compile(r"[a-z][a-z0-9+.-]*:|//", re.IGNORECASE)


def links(text: str) -> list[str]:
    """Targets of markdown links and of href/src attributes."""
    return [one or other for one, other in LINK.findall(text)]


def anchors(text: str) -> set[str]:
    """The anchors of a page's headings, as GitHub and as Jupyter spell them."""
    headings = re.findall(r"^#{1,6} +(.+?) *$", text, flags=re.MULTILINE)
    plain = {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}
    return plain | {heading.replace(" ", "-") for heading in headings} | set(re.findall(r"id=[\"']([^\"']+)", text))


def dead(text: str, folder: Path) -> list[str]:
    """Relative links in a page of that folder whose file, or whose anchor on the same page, is not there."""
    faults = []
    for link in links(text):
        path, _, anchor = unquote(link).partition("#")
        if SCHEME.match(link) or link.startswith("attachment:"):
            continue
        if path and not (folder / path).exists():
            faults.append(f"{link}: no such file")
        elif not path and anchor not in anchors(text):
            faults.append(f"{link}: no such heading on the page")
    return faults


def pages() -> dict[str, str]:
    """Markdown by relative path: the .md files, and what a notebook's cells and outputs say in markdown or HTML."""
    found = dict(texts(".md"))
    for name, notebook in notebooks().items():
        parts = [source(cell) for cell in notebook["cells"] if cell["cell_type"] == "markdown"]
        parts += ["".join(value) for cell in notebook["cells"] for output in cell.get("outputs", ())
                  for mime, value in output.get("data", {}).items() if mime in ("text/markdown", "text/html")]
        found[name] = "\n\n".join(parts)
    return found


@pytest.mark.parametrize("name", pages())
def test_links_are_alive(name):
    assert dead(pages()[name], (ROOT / name).parent) == []


@pytest.mark.parametrize("text, word", [
    ("see [21](notebooks/99_not_there.ipynb)", "99_not_there"),
    ("![a cat](assets/no_cat.png \"title\")", "no_cat"),
    ("<img src='assets/no_cat.png'>", "no_cat"),
    ("[below](#missing)\n\n## There", "#missing"),
])
def test_rule_catches(text, word):
    [fault] = dead(text, ROOT)
    assert word in fault


def test_rule_leaves_good_links_alone():
    text = "[c](CONTRIBUTING.md#x) [w](https://example.org/x) [b](#what-it-is) [m](mailto:a@b.c)\n\n## What it is"
    assert len(links(text)) == 4
    assert dead(text, ROOT) == []
