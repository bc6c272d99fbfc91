"""Links between the project's own pages lead somewhere; a lecture that is not written yet has none."""

import re
from functools import cache
from pathlib import Path
from urllib.parse import unquote

import pytest
from checkout import ROOT, notebooks, source, texts

from cnnlib.recipes import stamp

LINK = re.compile(r"""\]\(\s*<?([^)\s>]+)>?[^)]*\)"""  # [text](link)
                  r"""|(?:href|src)\s*=\s*["']([^"']+)["']"""
                  r"""|^ {0,3}\[[^\]^]+\]:\s*<?(\S+?)>?(?:\s|$)""", re.MULTILINE)  # [name]: link
SCHEME = re.compile(r"[a-z][a-z0-9+.-]*:|//", re.IGNORECASE)

OURS = re.compile(rf"(?:github\.com|com/github)/{re.escape(stamp.identity()['repository'])}/(?:blob|tree)/[^/]+/(.+)")


def links(text: str) -> list[str]:
    """Targets of markdown links, inline or by reference, and of href/src attributes."""
    return [next(filter(None, match.groups())) for match in LINK.finditer(text)]


def anchors(text: str) -> set[str]:
    """The anchors of a page's headings, as GitHub and as Jupyter spell them."""
    headings = re.findall(r"^#{1,6} +(.+?) *$", text, flags=re.MULTILINE)
    plain = {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}
    return plain | {heading.replace(" ", "-") for heading in headings} | set(re.findall(r"id=[\"']([^\"']+)", text))


def dead(text: str, folder: Path) -> list[str]:
    """Links in a page of that folder to files of ours that are not there, or to headings that the page has not.

    Ours are relative links, and addresses of this repository's files on GitHub, in Colab or in Kaggle.
    """
    faults = []
    for link in links(text):
        path, _, anchor = unquote(link).partition("#")
        place = folder / path
        if match := OURS.search(path):
            place = ROOT / match.group(1)
        elif SCHEME.match(link) or link.startswith("attachment:"):
            continue
        if path and not place.exists():
            faults.append(f"{link}: no such file")
        elif anchor and anchor not in anchors(headings_of(place.resolve()) if path else text):
            faults.append(f"{link}: no such heading on the page")
    return faults


def headings_of(place: Path) -> str:
    """The text of a page of ours that is linked to; nothing where it is none."""
    inside = place.relative_to(ROOT).as_posix() if place.is_relative_to(ROOT) else ""
    return pages().get(inside, "")


@cache
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
    ("[below](#missing)\n\n## There", "#missing"), ("[how](CONTRIBUTING.md#missing)", "#missing"),
    ("see [the page][1]\n\n[1]: no_page.md", "no_page"),
    (stamp.badges("99_not_there").split(") ")[0] + ")", "99_not_there"),
    ("[file](https://github.com/{repository}/blob/{tag}/cnnlib/no.py)".format(**stamp.identity()), "no.py"),
])
def test_rule_catches(text, word):
    [fault] = dead(text, ROOT)
    assert word in fault


def test_rule_leaves_good_links_alone():
    text = "[c](CONTRIBUTING.md#add-a-notebook) [w](https://example.org/x) [b](#what-it-is) [m](mailto:a@b.c) [r]" \
           "\n\n## What it is\n[r]: README.md\n[l](cnnlib/geometry.py) " + stamp.badges("20_convolution")
    assert len(links(text)) == 10
    assert dead(text, ROOT) == []
