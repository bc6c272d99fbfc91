"""Print the pip option that finds torch's CPU build, where that is the build to have.

On Linux, the default index serves torch with several gigabytes of CUDA. A machine without an NVIDIA driver is better
off with the CPU build, which lives on an index of its own. This runs before anything is installed:
``pip install $(python cnnlib/recipes/torch_index.py) torch``.
"""

import shutil
import sys
import urllib.request
from pathlib import Path

CPU_INDEX = "https://download.pytorch.org/whl/cpu"


def has_nvidia_driver() -> bool:
    """Whether an NVIDIA driver is installed (the kernel's entry, or its command as under WSL)."""
    return Path("/proc/driver/nvidia/version").exists() or shutil.which("nvidia-smi") is not None


def is_reachable(address: str, seconds: float = 3.0) -> bool:
    """Whether the address answers in time; pip would wait for minutes on one that does not."""
    try:
        with urllib.request.urlopen(address, timeout=seconds):
            return True
    except OSError:
        return False


def pip_option() -> str:
    """The option for pip, or nothing where the default index is right or the other is out of reach."""
    if not sys.platform.startswith("linux") or has_nvidia_driver() or not is_reachable(CPU_INDEX + "/torch/"):
        return ""
    return f"--extra-index-url {CPU_INDEX}"


if __name__ == "__main__":
    print(pip_option())
