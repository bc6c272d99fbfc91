"""Bring a data set's files here, once, and hand out nothing that has not been checked."""

import os
from pathlib import Path

from cnnlib.data import folders
from cnnlib.data._progress import megabytes, say
from cnnlib.data._turns import turn
from cnnlib.data.catalogue import registry


class DownloadError(OSError):
    """A data set is not here and cannot be fetched. The message says why, and what to do."""


def fetch(name, folder=None):
    """Bring a data set's files to this machine, unless they are here, and check them.

    Parameters
    ----------
    name : str
        One of :data:`cnnlib.data.registry`.
    folder : str or path-like, optional
        Store them below this folder, for example to carry them to a machine without network. None stores them where
        the loaders look: in ``CNNLIB_DATA`` if that is set, else in ``~/.cache/cnnlib``.

    Returns
    -------
    dict of str to Path
        Where each file lies.

    Raises
    ------
    ValueError
        There is no such data set; the message lists those there are.
    DownloadError
        A file is not here and none of its sources has it, or it cannot be stored.

    Notes
    -----
    Every file is checked by size and sha256 each time that it is asked for, and before it is seen under its name for
    the first time; a damaged one is fetched again. Its mirrors are tried in order. Environment variables, which a
    notebook sets by ``os.environ["CNNLIB_MIRROR"] = "E:/"`` before it loads anything:

    ===================  ==========================================================================================
    ``CNNLIB_MIRROR``    a folder or an address that is tried first. It holds a folder for each data set, as
                         ``python -m cnnlib fetch --all --to FOLDER`` writes them: FOLDER/mnist/train-images-….gz
    ``CNNLIB_DATA``      the folder to keep data in
    ``CNNLIB_OFFLINE``   1 forbids the network: what is not here, or in a mirror that is a folder, is an error at once
    ===================  ==========================================================================================

    In a class without network, one machine can serve all others: ``python -m http.server`` in FOLDER there, and
    ``CNNLIB_MIRROR=http://ITS-ADDRESS:8000`` on the others.
    """
    if name not in registry:
        raise ValueError(f"there is no data set {name!r} to fetch; there are {', '.join(registry)} (digits, faces, "
                         "textures and shapes need no download)")
    return {file.name: _fetch_file(name, file, None if folder is None else Path(folder).expanduser())
            for file in registry[name].files}


def is_here(name, folder=None):
    """Whether all files of a data set are on this machine and right."""
    return all(_found(name, file, _where_to_look(folder)) for file in registry[name].files)


def is_offline():
    """Whether the environment forbids the network."""
    return os.environ.get("CNNLIB_OFFLINE", "") not in ("", "0")


def _where_to_look(folder):
    return folders.places() if folder is None else [Path(folder)]


def _found(name, file, places):
    """The first place in which the file lies and is right, or None; damage is reported."""
    for place in places:
        path = place / name / file.name
        try:
            if file.is_at(path):
                return path
        except OSError as error:  # another user's, or on a disk that fails
            say(f"{path} cannot be read ({error.strerror}); it is not used")
            continue
        if path.exists():
            say(f"{path} is damaged: its size or {file.checksum[0]} is not the right one; it is not used")
    return None


def _fetch_file(name, file, folder):
    """Where a file lies, after it was brought here if it was not."""
    places = _where_to_look(folder)
    return _found(name, file, places) or _bring(name, file, folder, places)


def _bring(name, file, folder, places):
    """Bring a file that is not here; returns where it lies."""
    # Imported here, as only this needs the network's modules: they cost 40 ms, and a browser's kernel lacks some.
    from cnnlib.data._download import CannotWriteError, download

    sources = _sources(name, file, folder)
    if not sources:
        raise DownloadError(_advice(name, file, places, "CNNLIB_OFFLINE=1 forbids the network"))
    target = _place_to_write(name, file, places) / file.name
    with turn(target) as alive:
        if path := _found(name, file, places):  # another process has fetched it meanwhile
            return path
        try:
            troubles = download(file, sources, target, f"{name}/{file.name}", alive)
        except CannotWriteError as error:
            raise DownloadError(f"{error}\nMake room there, or keep the data elsewhere: set CNNLIB_DATA to a folder "
                                "that can hold them") from error
    if troubles:
        told = "no source has it:\n" + "\n".join(f"  {source}: {trouble}" for source, trouble in troubles)
        raise DownloadError(_advice(name, file, places, told))
    return target


def _sources(name, file, folder):
    """What may be asked for a file, in order: the user's mirror, this machine's own copy, the public mirrors."""
    from cnnlib.data._sources import is_url

    sources = []
    if mirror := os.environ.get("CNNLIB_MIRROR"):
        sources.append(f"{mirror.rstrip('/')}/{name}/{file.name}" if is_url(mirror)
                       else str(Path(mirror).expanduser() / name / file.name))
    if folder is not None:
        sources += [str(path) for place in folders.places() if (path := place / name / file.name).is_file()]
    sources += file.urls
    return [source for source in sources if not (is_offline() and is_url(source))]


def _place_to_write(name, file, places):
    """The first of the places that a file can be written into."""
    faults = []
    for place in places:
        fault = folders.fault(place / name)
        if not fault:
            if faults:
                say(f"note: {'; '.join(faults)}; {file.name} is kept in {place}, which may be emptied when this "
                    "machine restarts. CNNLIB_DATA can name a better folder")
            return place / name
        faults.append(f"nothing can be written into {place / name} ({fault})")
    raise DownloadError(f"{name} cannot be stored: {'; '.join(faults)}. Set CNNLIB_DATA to a folder that you may "
                        "write to")


def _advice(name, file, places, reason):
    """The message for a student who sits before a machine without the file."""
    size = megabytes(sum(item.bytes for item in registry[name].files))
    again = "unset CNNLIB_OFFLINE and run" if is_offline() else "check the network and run"
    return (f"{name}/{file.name} is not in {' or '.join(str(place / name) for place in places)}, and {reason}\n"
            "What to do:\n"
            f"- with network: {again} this again ({size})\n"
            f"- without: on a machine with network, python -m cnnlib fetch {name} --to FOLDER; carry FOLDER here and "
            'set CNNLIB_MIRROR to it, in a notebook by os.environ["CNNLIB_MIRROR"] = "FOLDER"\n'
            "- right now: data.load_digits(), load_faces(), load_textures() and load_shapes() need no download")
