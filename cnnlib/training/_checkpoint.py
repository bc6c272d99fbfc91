"""Everything a run is, in one file that is never half written: arrays as .npz, the rest as JSON inside it."""

import json
import os
import tempfile
import zipfile
from pathlib import Path

import numpy as np

from cnnlib import _array
from cnnlib.layers import _place
from cnnlib.training import _plain

FORMAT = 2
ABOUT = "about.json"  # the one entry that is text
STEP_LOSS = "history/step_loss"


def write(path, arrays, about):
    """Write arrays by name, and plain data, so that `path` holds either all of it or what it held before.

    Written is a new file beside it, which is flushed to the disk and then takes the name, in one step of the file
    system: whoever is killed in between leaves the old file whole.
    """
    path = Path(path)
    text = np.frombuffer(as_text(about).encode(), dtype=np.uint8)
    handle, temporary = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".tmp", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            np.savez(file, **{ABOUT: text}, **arrays)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
    _sync_folder(path.parent)


def read(path):
    """Return (arrays, about) of a file that :func:`write` wrote. Nothing in it is executed.

    Raises
    ------
    ValueError
        It is no such file.
    """
    try:
        with Path(path).open("rb") as handle, np.load(handle, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
        about = json.loads(arrays.pop(ABOUT).tobytes())
    except (ValueError, OSError, KeyError, EOFError, zipfile.BadZipFile) as error:
        if isinstance(error, FileNotFoundError):
            raise
        raise ValueError(f"{path} is no checkpoint of cnnlib ({type(error).__name__}: {error})") from None
    version = about.get("format") if isinstance(about, dict) else None
    if version != FORMAT:
        raise ValueError(f"{path} has format {version}, of another version of cnnlib; this one reads "
                         f"{FORMAT}: begin anew under another name, or go on with that version")
    return arrays, _plain.decode(about)


def as_text(about):
    """Return plain data as the text that is written; TypeError if there is something that no file holds."""
    encoded = {name: _plain.encode(value, name) for name, value in about.items()}
    return json.dumps(encoded | {"format": FORMAT}, allow_nan=False)


def clear_leftovers(path):
    """Remove what a killed process may have left beside the file."""
    for left in Path(path).parent.glob(f".{Path(path).name}.*.tmp"):
        left.unlink(missing_ok=True)


def packed_optimizer(optimizer):
    """Return (arrays by name, the rest as plain data) of an optimiser's state, ours or torch's."""
    state = optimizer.state_dict()
    arrays, numbers = {}, {}
    for number, values in state["state"].items():
        for name, value in values.items():
            if hasattr(value, "shape"):
                arrays[f"optimizer/{number}/{name}"] = stored(value)
            else:
                numbers.setdefault(number, {})[name] = value
    return arrays, {"numbers": numbers, "groups": state["param_groups"]}


def load_optimizer(optimizer, arrays, about):
    """Bring an optimiser to the state that :func:`packed_optimizer` returned."""
    parameters = [parameter for group in optimizer.param_groups for parameter in group["params"]]
    state = {number: dict(values) for number, values in about["numbers"].items()}
    for key, value in arrays.items():
        if key.startswith("optimizer/"):
            number, _, name = key.removeprefix("optimizer/").partition("/")
            data = getattr(parameters[int(number)], "data", None)
            state.setdefault(int(number), {})[name] = _restored(value, data)
    optimizer.load_state_dict({"state": state, "param_groups": about["groups"]})


def stored(a):
    """Return an array as NumPy can write it."""
    if _array.dtype_name(a) == "bfloat16":
        raise TypeError("a checkpoint holds no bfloat16, which NumPy lacks: keep the weights in float32 "
                        "(mixed_precision=True computes in half precision and keeps them so)")
    return _array.to_numpy(a)


def _restored(value, data):
    """Return a stored array in the library, on the device and in the memory order of the parameter's data."""
    if not _array.is_torch(data):
        return value
    torch = _array.library(data=data)
    if value.shape != tuple(data.shape):  # a count of steps
        return torch.as_tensor(value)
    tensor = torch.empty_like(data)
    return tensor.copy_(_place.like(value, data))


def _sync_folder(folder):
    """Make the new name itself last, where the system can."""
    if os.name != "posix":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
