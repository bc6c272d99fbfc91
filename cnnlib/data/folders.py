"""Where fetched data lie on this machine, and where new ones can be written."""

import os
import tempfile
import uuid
from pathlib import Path


def home():
    """Return the folder that fetched data are kept in.

    It is ``CNNLIB_DATA`` if that is set, else ``cnnlib`` in ``XDG_CACHE_HOME``, else ``~/.cache/cnnlib``.
    """
    if chosen := os.environ.get("CNNLIB_DATA"):
        return Path(chosen).expanduser().absolute()
    if cache := os.environ.get("XDG_CACHE_HOME"):
        return Path(cache) / "cnnlib"
    try:
        return Path.home() / ".cache" / "cnnlib"
    except RuntimeError:  # a user without a home, as in some containers
        return spare()


def spare():
    """Return the folder that takes the place of a home that cannot be written to."""
    user = f"-{os.getuid()}" if hasattr(os, "getuid") else ""  # Windows has a temporary folder for each user
    return Path(tempfile.gettempdir()) / f"cnnlib{user}"


def places():
    """Return the folders in which fetched data may lie, first choice first."""
    if os.environ.get("CNNLIB_DATA") or not _is_ours(spare()):
        return [home()]
    return list(dict.fromkeys([home(), spare()]))


def fault(folder):
    """Say why nothing can be written into a folder, which is made if need be; an empty text if all is well."""
    probe = folder / f".{uuid.uuid4().hex}.part"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with open(probe, "xb"):
            pass
        probe.unlink()
    except OSError as error:
        return error.strerror or str(error)
    return ""


def _is_ours(folder):
    """Whether a folder is not there yet or is this user's: anybody may make one among the temporary ones."""
    try:
        return not hasattr(os, "getuid") or folder.stat().st_uid == os.getuid()
    except OSError:
        return True
