"""Where node is: the system's own, or the one that playwright brings along with the test environment."""

import importlib.util
import shutil
from pathlib import Path


def find(which=shutil.which, playwright=importlib.util.find_spec):
    """Return node's path; None without playwright too, as among Colab's versions. With playwright it must be there."""
    if found := which("node"):
        return found
    package = playwright("playwright")
    if package is None:
        return None
    driver = Path(package.origin).parent / "driver"
    return str(next(path for path in (driver / "node", driver / "node.exe") if path.is_file()))


NODE = find()
