"""A benchmark of several parts: each is stored as soon as it is done, and one page is made of all."""

import json

from tests.bench.conv import machine


def run(parts, names, out, page):
    """Run parts of a benchmark, and write what was found beside what is stored of the others.

    Parameters
    ----------
    parts : dict of name -> function that returns rows
    names : sequence of str
        Of the parts to run; none runs all.
    out : Path
        Of the two files, without the suffixes .json and .md.
    page : function
        Makes the Markdown page of everything found: of {name: {"machine": dict, "rows": list}}.
    """
    stored = out.with_suffix(".json")
    found = json.loads(stored.read_text()) if stored.exists() else {}
    for name in names or parts:
        found[name] = {"machine": machine(), "rows": parts[name]()}
        stored.write_text(json.dumps(found, indent=1) + "\n")
        out.with_suffix(".md").write_text(page(found))
    print(page(found))


def heading(name, part):
    """Return the lines above a part's table: its name, and the machine that it ran on."""
    return ["", f"## {name}", "", ", ".join(f"{key} {value}" for key, value in part["machine"].items()), ""]
