"""Bring data sets here before a class, or onto a stick for machines without network.

``python -m cnnlib fetch`` lists what there is. ``fetch NAME…`` or ``fetch --all`` stores data sets where the loaders
look for them; with ``--to FOLDER`` they go into FOLDER instead, in the form that CNNLIB_MIRROR and CNNLIB_DATA take.
"""

from pathlib import Path

from cnnlib import data
from cnnlib.data import folders
from cnnlib.data._fetch import is_here
from cnnlib.data._progress import megabytes, say

USAGE = "usage: python -m cnnlib fetch [NAME ... | --all] [--to FOLDER]"
HOW_TO_USE = """\
Data sets of the course cnnlib, fetched by `python -m cnnlib fetch`.

To use them on a machine without network, set the environment variable CNNLIB_MIRROR to this folder, or in a notebook,
before anything is loaded:

    import os
    os.environ["CNNLIB_MIRROR"] = "FOLDER"      # this folder's path on that machine

Each file is checked by its sha256 and copied when it is first used. To serve a whole class, run `python -m http.server`
in this folder and set CNNLIB_MIRROR to http://ADDRESS:8000 on the other machines.

What the data sets are, and under which licence they may be passed on:
"""


def main(arguments: list[str]) -> int:
    """``python -m cnnlib fetch [NAME ... | --all] [--to FOLDER]``."""
    try:
        names, folder = parsed(arguments)
    except ValueError as error:
        print(f"{error}\n{USAGE}")
        return 2
    if not names:
        print(listing())
        return 0
    lacking = [name for name in names if not fetched(name, folder)]
    if folder is not None and len(lacking) < len(names):
        write_guide(folder)
    print("\nnot fetched: " + ", ".join(lacking) if lacking else "\neverything is here and checked")
    return int(bool(lacking))


def parsed(arguments: list[str]) -> tuple[list[str], Path | None]:
    """The data sets that are asked for, and the folder they are to go to."""
    words, names, folder = list(arguments), [], None
    while words:
        word = words.pop(0)
        if word == "--to":
            if not words:
                raise ValueError("--to needs a folder")
            folder = Path(words.pop(0)).expanduser()
        elif word == "--all":
            names += data.registry
        elif word in data.registry:
            names.append(word)
        else:
            raise ValueError(f"there is no data set {word!r}; there are {', '.join(data.registry)}")
    if folder is not None and not names:
        raise ValueError("--to needs the names of data sets, or --all")
    return list(dict.fromkeys(names)), folder


def listing() -> str:
    """What can be fetched, how large it is, and whether it is here."""
    width = max(map(len, data.registry))
    lines = [f"{name:{width}}  {megabytes(item.bytes):>8}  {'here' if is_here(name) else '    '}  {item.about}"
             for name, item in data.registry.items()]
    return "\n".join([*lines, "", f"kept in {folders.home()}", USAGE]).replace("×", "x")


def fetched(name: str, folder: Path | None) -> bool:
    """Fetch a data set; a failure is printed, so that the others can go on."""
    try:
        paths = data.fetch(name, folder)
    except data.DownloadError as error:
        say(str(error))
        return False
    say(f"{name}: {len(paths)} file{'s' * (len(paths) > 1)} in {next(iter(paths.values())).parent}")
    return True


def write_guide(folder: Path) -> None:
    """Say on the stick itself how it is used, and what may be done with it."""
    sets = [f"{item.name}: {item.about}\n  licence: {item.licence}\n  cite: {item.cite}\n"
            for item in data.registry.values() if is_here(item.name, folder)]
    (folder / "README.txt").write_text("\n".join([HOW_TO_USE, *sets]), encoding="utf-8")
