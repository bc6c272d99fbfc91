"""Convolutional neural networks, written to be read: the library that the course's notebooks are written in.

Importing it imports nothing else: a part is loaded when it is first named (``cnnlib.conv``), and torch only by a
function that is handed a torch tensor or asks for a torch device.
"""

__version__ = "0.1.0"


def __getattr__(name: str):
    import importlib.util

    full_name = f"{__name__}.{name}"
    if name.startswith("__") or importlib.util.find_spec(full_name) is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return importlib.import_module(full_name)


def __dir__():
    import pkgutil

    return sorted({*globals(), *(part.name for part in pkgutil.iter_modules(__path__))})
