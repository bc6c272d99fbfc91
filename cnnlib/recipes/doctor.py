"""What is right and wrong with this machine, in one table, and for each fault the one line that mends it.

A fault keeps a lecture from running; a note says what is missing for more comfort or speed. ``python -m cnnlib
doctor`` exits with 1 if there is a fault. The table is plain ASCII, as some consoles can print nothing else.
"""

import contextlib
import importlib
import math
import os
import platform
import re
import shutil
import socket
import struct
import sys
import threading
import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

import cnnlib
from cnnlib.recipes import stamp, torch_index

# Quotes only where they are needed, as PowerShell does not run a quoted path.
PYTHON = f'"{sys.executable}"' if " " in sys.executable else sys.executable
PIP = f"{PYTHON} -m pip install"
RENAME = "move" if sys.platform == "win32" else "mv"
GIGABYTE = 10**9
MEMORY_NEEDED, DISK_NEEDED = 2 * GIGABYTE, 1 * GIGABYTE
# A file of such a name beside a notebook is imported instead of the package.
PACKAGES = ("IPython", "PIL", "anywidget", "cnnlib", "cv2", "ipywidgets", "matplotlib", "numpy", "scipy", "skimage",
            "sklearn", "sympy", "threadpoolctl", "torch", "triton")
WHAT_FOR = {
    "torch": "the torch and GPU halves of the lectures, parity checks", "jupyterlab": "opening the notebooks here",
    "ipywidgets": "interactives", "anywidget": "interactives", "scikit-image": "comparisons with scikit-image",
    "opencv-python-headless": "comparisons with OpenCV",
    "scikit-learn": "real digits", "sympy": "symbolic derivations",
}
# Other names under which the same modules may be installed: two of them at once spoil each other.
TWINS = {"opencv-python-headless": ("opencv-python", "opencv-contrib-python-headless", "opencv-contrib-python")}


@dataclass(frozen=True)
class Finding:
    """One row of the table: `state` is "ok", "note" or "FAULT"; a fault's `mend` is the line to type."""

    state: str
    what: str
    found: str
    mend: str = ""


def numbers(version: str) -> tuple[int, ...]:
    """The leading numbers of a version: ``2.13.0+cpu`` to (2, 13, 0)."""
    return tuple(int(part) for part in re.match(r"[\d.]*", version).group(0).strip(".").split(".") if part)


def check_python(version: tuple = sys.version_info, bits: int = 8 * struct.calcsize("P"),
                 machine: str = platform.machine(), translated: bool | None = None) -> Finding:
    """Python's version and architecture; an older one than 3.11 does not come here (see ``__main__``)."""
    if translated is None:
        translated = sys.platform == "darwin" and machine == "x86_64" and _runs_under_rosetta()
    found = f"{'.'.join(map(str, version[:3]))}, {bits}-bit, {machine}"
    if bits != 64:
        return Finding("FAULT", "Python", f"{found}; torch needs 64 bits", "install a 64-bit Python (python.org)")
    if translated:
        return Finding("FAULT", "Python", f"{found} on an Apple chip", "install an arm64 Python (python.org)")
    return Finding("ok", "Python", found)


def _runs_under_rosetta() -> bool:
    answer = os.popen("sysctl -n sysctl.proc_translated 2>/dev/null").read()
    return answer.strip() == "1"


def requirements() -> dict[str, tuple[str, bool]]:
    """Package to (lowest version or "", whether it must be there), as the checkout or the installed package says.

    The checkout comes first: what pip noted when it installed one is old as soon as the checkout is newer.
    """
    here = stamp.ROOT / "pyproject.toml"
    if here.is_file():
        table = tomllib.loads(here.read_text(encoding="utf-8"))["project"]
        optional = [line for lines in table["optional-dependencies"].values() for line in lines]
        lines = [*table["dependencies"], *(f"{line}; extra == ''" for line in optional)]
    else:
        lines = metadata.requires("cnnlib") or []
    found = {}
    for line in lines:
        name, lowest = re.match(r"([\w.-]+)(?:\[\w+\])?\s*(?:>=\s*([\d.]+))?", line).groups()
        found.setdefault(name.lower(), (lowest or "", "extra ==" not in line))
    return found


def installed_version(package: str) -> str | None:
    """The installed version, of the package or of another that gives the same modules; None where none is."""
    for name in (package, *TWINS.get(package, ())):
        with contextlib.suppress(metadata.PackageNotFoundError):
            return metadata.version(name)
    return None


def check_packages(version_of: Callable[[str], str | None] = installed_version) -> list[Finding]:
    """Hard dependencies, then what the lectures use beside them."""
    findings = []
    for name, (lowest, needed) in requirements().items():
        if not needed and name not in WHAT_FOR:
            continue
        version = version_of(name)
        mend = f'{PIP} --upgrade "{name}{">=" * bool(lowest)}{lowest}"'
        if version is None:
            findings.append(Finding("FAULT" if needed else "note", name,
                                    "not installed" + ("" if needed else f"; it is for {WHAT_FOR[name]}"), mend))
        elif lowest and numbers(version) < numbers(lowest):
            findings.append(Finding("FAULT", name, f"{version}; {lowest} or newer is needed", mend))
        else:
            findings.append(Finding("ok", name, version))
    return findings


def check_imports(names: tuple[str, ...] = ("numpy", "matplotlib", "torch")) -> list[Finding]:
    """Packages that are installed and yet fail to import, and a torch that cannot talk to this NumPy."""
    findings = []
    for name in names:
        if installed_version(name) is None:
            continue
        try:
            module = importlib.import_module(name)
            if name == "torch":
                module.ones(1).numpy()
        except Exception as error:  # a broken installation fails in many ways; each is a fault to report
            reason = str(error).strip().split("\n")[0][:90] or type(error).__name__
            findings.append(Finding("FAULT", name, f"fails: {reason}", f"{PIP} --force-reinstall {name}"))
    return findings


def check_gpu() -> Finding:
    """The GPU that torch sees, and which precisions it computes fast."""
    if installed_version("torch") is None:
        return Finding("note", "GPU", "none without torch: everything runs in NumPy on the CPU")
    try:
        import torch
    except Exception:  # check_imports has reported it
        return Finding("note", "GPU", "unknown, as torch fails to import")
    if torch.cuda.is_available():
        return _describe_cuda(torch)
    if torch_index.has_nvidia_driver():
        if torch.version.cuda is None:
            index = " --index-url https://download.pytorch.org/whl/cu128" if sys.platform == "win32" else ""
            return Finding("note", "GPU", "an NVIDIA driver is here, but this torch is the CPU build",
                           f"{PIP} --force-reinstall torch{index}")
        return Finding("FAULT", "GPU", f"torch (CUDA {torch.version.cuda}) does not reach the NVIDIA device",
                       "nvidia-smi (if it fails too, update the driver; if not, restart the machine)")
    if torch.backends.mps.is_available():
        return Finding("ok", "GPU", "Apple GPU (mps); the lectures' GPU cells want CUDA and skip here")
    return Finding("note", "GPU", "none: everything runs on the CPU, GPU cells skip")


def _describe_cuda(torch) -> Finding:
    device = torch.cuda.get_device_properties(0)
    major, minor = device.major, device.minor
    known = torch.cuda.get_arch_list()
    if known and not any(numbers(name.partition("_")[2]) <= (10 * major + minor,) for name in known):
        return Finding("FAULT", "GPU", f"{device.name} (sm_{major}{minor}) is older than this torch supports "
                       f"({known[0]} and newer)", f'{PIP} "torch<2.8"')
    fast = ["float32"] + ["TF32"] * (major >= 8) + ["float16"] * (major >= 7)
    fast += ["bfloat16"] * torch.cuda.is_bf16_supported(including_emulation=False)
    return Finding("ok", "GPU", f"{device.name}, {device.total_memory / GIGABYTE:.0f} GB, sm_{major}{minor}; "
                   f"fast in {', '.join(fast)}")


def available_memory() -> int | None:
    """Bytes that a program can still have; None where the system does not say."""
    meminfo = Path("/proc/meminfo")
    if meminfo.exists():
        available = 1024 * int(re.search(r"MemAvailable:\s+(\d+)", meminfo.read_text()).group(1))
        return min(available, container_memory(), key=lambda number: math.inf if number is None else number)
    if sys.platform == "darwin":  # no portable word for "available" there: the whole
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    if sys.platform == "win32":
        import ctypes

        status = (ctypes.c_ulonglong * 8)()
        status[0] = 64  # the structure's length; the load that follows stays 0
        ctypes.windll.kernel32.GlobalMemoryStatusEx(ctypes.byref(status))
        return int(status[2])
    return None


def container_memory(folder: Path = Path("/sys/fs/cgroup")) -> int | None:
    """Bytes that a container, such as a class hub's, still grants; None where there is no limit."""
    try:
        limit, used = ((folder / name).read_text().strip() for name in ("memory.max", "memory.current"))
        cached = re.search(r"^inactive_file (\d+)", (folder / "memory.stat").read_text(), re.MULTILINE)
    except OSError:
        return None
    return None if limit == "max" else int(limit) - int(used) + int(cached.group(1))


def check_memory(available: int | None = None) -> Finding:
    """Whether the largest lecture fits."""
    available = available_memory() if available is None else available
    if available is None:
        return Finding("note", "memory", "unknown")
    found = f"{available / GIGABYTE:.1f} GB available"
    if available < MEMORY_NEEDED:
        return Finding("FAULT", "memory", f"{found}; a lecture may use 2 GB", "close other programs and notebooks")
    return Finding("ok", "memory", found)


def check_disk(folder: Path, free: int | None = None) -> Finding:
    """Whether there is room for data sets and stored notebooks."""
    free = shutil.disk_usage(folder).free if free is None else free
    found = f"{free / GIGABYTE:.1f} GB free"
    if free < DISK_NEEDED:
        return Finding("FAULT", "disk", f"{found} in {folder}; 1 GB is needed", "empty the trash, or work elsewhere")
    return Finding("ok", "disk", found)


def check_shadows(folders: list[Path]) -> list[Finding]:
    """Files that Python would import instead of a package, because they lie where it looks first."""
    findings = []
    for folder in dict.fromkeys(folder.resolve() for folder in folders if folder.is_dir()):
        for path in sorted(folder.iterdir()):
            name = path.stem if path.suffix == ".py" else path.name
            is_module = path.suffix == ".py" or (path.is_dir() and (path / "__init__.py").is_file())
            hides = name in PACKAGES or (name in sys.stdlib_module_names and path.suffix == ".py")
            if is_module and hides and path.resolve() != Path(cnnlib.__file__).parent:
                findings.append(Finding("FAULT", "shadow", f"{path} hides the package {name}",
                                        f'rename it: {RENAME} "{path}" "{path.with_name("my_" + path.name)}"'))
    return findings or [Finding("ok", "shadows", "no file here hides a package")]


def check_kernel() -> Finding:
    """Whether the kernel called python3, which the notebooks ask for, is this Python."""
    try:
        from jupyter_client.kernelspec import KernelSpecManager

        spec = KernelSpecManager().get_kernel_spec("python3")
    except ImportError:
        return Finding("note", "kernel", "Jupyter is not installed in this Python")
    except KeyError:  # NoSuchKernel
        return Finding("FAULT", "kernel", "Jupyter knows no kernel python3", f"{PIP} --force-reinstall ipykernel")
    command = spec.argv[0]
    # Two environments may share one interpreter by a link, so the folders are compared, not what they lead to.
    there, here = (Path(os.path.abspath(path)).parent.resolve()
                   for path in (shutil.which(command) or command, sys.executable))
    if command in ("python", "python3") or there == here:
        return Finding("ok", "kernel", "python3 is this Python")
    return Finding("FAULT", "kernel", f"notebooks run in {command}, not in {sys.executable}",
                   f"{PYTHON} -m jupyter_client.kernelspecapp remove -f python3")


def check_network(host: str = "github.com", seconds: float = 1.0) -> Finding:
    """Whether the internet can be reached; nothing is wrong if not."""
    reached = []

    def connect():
        try:
            socket.create_connection((host, 443), timeout=seconds).close()
            reached.append(host)
        except OSError:
            pass

    thread = threading.Thread(target=connect, daemon=True)  # looking up a name has no time limit of its own
    thread.start()
    thread.join(seconds)
    if reached:
        return Finding("ok", "network", "online")
    return Finding("note", "network", "offline: the lectures run all the same, only more data cannot be fetched")


def examine(folder: Path) -> list[Finding]:
    """All checks of this machine, as seen from a folder."""
    shadows = check_shadows([folder, folder / "notebooks", *(Path(entry) for entry in sys.path[:1] if entry)])
    return [check_python(), Finding("ok", "cnnlib", f"{cnnlib.__version__} in {Path(cnnlib.__file__).parent}"),
            *check_packages(), *check_imports(), check_gpu(), check_memory(), check_disk(folder), *shadows,
            check_kernel(), check_network()]


def table(findings: list[Finding]) -> str:
    """The findings as aligned text; under each fault or note, the line that mends it."""
    width = max(len(finding.what) for finding in findings)
    lines = []
    for finding in findings:
        lines.append(f"{finding.state:5}  {finding.what:{width}}  {finding.found}")
        if finding.mend:
            lines.append(f"{'':5}  {'':{width}}  -> {finding.mend}")
    faults = sum(finding.state == "FAULT" for finding in findings)
    verdict = {0: "all is well", 1: "1 fault; the arrow under it says what mends it"}
    return "\n".join([*lines, "", verdict.get(faults, f"{faults} faults; the arrows say what mends them")])


def report(folder: Path) -> str:
    """The table of :func:`examine` without this machine's paths: for a notebook, whose outputs are stored."""
    text = table(examine(folder))
    for path, word in ((sys.executable, "python"), (Path(cnnlib.__file__).parent, "cnnlib"), (Path.home(), "~")):
        text = text.replace(str(path), word)
    return text


def main(arguments: list[str]) -> int:
    """``python -m cnnlib doctor``: print the table; 1 if there is a fault."""
    if arguments:
        print("usage: python -m cnnlib doctor")
        return 2
    findings = examine(Path.cwd())
    print(table(findings).encode("ascii", "replace").decode())
    return int(any(finding.state == "FAULT" for finding in findings))
