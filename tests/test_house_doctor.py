"""The doctor finds each fault when it is made, and stays silent on a sound machine."""

import ast
import json
import os
import re
import runpy
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import pytest

from cnnlib.recipes import doctor, stamp

# The children see the library by this path, and their own folder first, as a student's does.
CNNLIB = str(stamp.ROOT)


def run_doctor(folder, **environment):
    """Run the doctor as one would in that folder: its exit code and what it printed."""
    run = subprocess.run([sys.executable, "-m", "cnnlib", "doctor"], cwd=folder, capture_output=True, text=True,
                         env={**os.environ, "PYTHONPATH": CNNLIB, **environment})
    assert run.stderr == ""
    return run.returncode, run.stdout


def test_shadows_and_a_wrong_kernel_are_found_and_the_mend_mends(tmp_path):
    pytest.importorskip("jupyter_client")
    (tmp_path / "torch.py").write_text("raise SystemExit('this is not torch')")
    (tmp_path / "random.py").write_text("raise SystemExit('this is not random')")
    kernel = tmp_path / "share" / "kernels" / "python3"
    kernel.mkdir(parents=True)
    (kernel / "kernel.json").write_text(json.dumps({"argv": [str(tmp_path / "bin" / "python"), "-m", "x"],
                                                    "display_name": "Python 3", "language": "python"}))
    code, text = run_doctor(tmp_path, JUPYTER_PATH=str(tmp_path / "share"))
    assert code == 1
    assert re.search(rf"^FAULT  shadow +{re.escape(str(tmp_path / 'torch.py'))} hides the package torch$", text, re.M)
    assert "random.py hides the package random" in text
    for line in text.splitlines():
        if "-> rename it: " in line:
            subprocess.run(line.partition("-> rename it: ")[2], shell=True, check=True)
    assert doctor.check_shadows([tmp_path])[0].state == "ok"
    assert f"notebooks run in {tmp_path / 'bin' / 'python'}, not in {sys.executable}" in text
    [line] = [line for line in text.splitlines() if "kernelspecapp remove" in line]
    subprocess.run(line.partition("-> ")[2], shell=True, check=True, capture_output=True,
                   env={**os.environ, "JUPYTER_PATH": str(tmp_path / "share")})
    text = run_doctor(tmp_path, JUPYTER_PATH=str(tmp_path / "share"))[1]
    assert "python3 is this Python" in text and "FAULT  shadow" not in text


def test_this_machine_is_sound(tmp_path):
    """No fault where the tests run (but for its memory, which others may use): each check passes."""
    code, text = run_doctor(tmp_path)
    faults = [line for line in text.splitlines() if line.startswith("FAULT") and " memory " not in line]
    assert faults == []
    assert code == int("FAULT" in text)
    assert all(row in text for row in ("Python", "numpy", "memory", "disk", "GPU", "kernel", "network"))


def test_an_older_python_is_told_so():
    """A checkout can be asked by any Python: the oldest in use must be able to read what stands before the answer."""
    script = "import runpy, sys; sys.argv = ['cnnlib', 'doctor']; sys.version_info = (3, 10, 2, 'final', 0); " \
             "runpy.run_module('cnnlib', run_name='__main__')"
    run = subprocess.run([sys.executable, "-c", script], cwd=CNNLIB, capture_output=True, text=True)
    assert run.returncode == 1
    assert "FAULT  Python  3.10.2; 3.11 or newer is needed" in run.stderr and "-> install" in run.stderr
    for name in ("__init__.py", "__main__.py"):
        tree = ast.parse((stamp.ROOT / "cnnlib" / name).read_text(encoding="utf-8"), feature_version=(3, 7))
        read = tree.body if name == "__init__.py" else tree.body[:5]  # up to the answer
        marks = [mark for node in read for function in ast.walk(node) if isinstance(function, ast.FunctionDef)
                 for mark in (function.returns, *(argument.annotation for argument in function.args.args))]
        assert not any(isinstance(mark, ast.Subscript | ast.BinOp) for mark in marks)


def test_a_container_limits_memory(tmp_path):
    """A class hub gives each student a part of the machine, cached files not counted."""
    for name, text in (("memory.max", "3000"), ("memory.current", "2500"),
                       ("memory.stat", "anon 9\ninactive_file 400")):
        (tmp_path / name).write_text(text + "\n")
    assert doctor.container_memory(tmp_path) == 900
    (tmp_path / "memory.max").write_text("max\n")
    assert doctor.container_memory(tmp_path) is None
    assert doctor.container_memory(tmp_path / "nowhere") is None


@pytest.mark.parametrize("executable, shown", [("/a b/python", '"/a b/python"'), ("/a/python", "/a/python")])
def test_only_a_path_with_a_space_is_quoted(executable, shown, monkeypatch):
    monkeypatch.setattr(sys, "executable", executable)
    assert runpy.run_path(doctor.__file__)["PIP"] == f"{shown} -m pip install"


@pytest.mark.parametrize("arguments, words", [
    (((3, 12, 0), 32, "x86", False), "needs 64 bits"),
    (((3, 12, 0), 64, "x86_64", True), "on an Apple chip"),
])
def test_python_faults(arguments, words):
    finding = doctor.check_python(*arguments)
    assert (finding.state, words in finding.found, bool(finding.mend)) == ("FAULT", True, True)
    assert doctor.check_python((3, 11, 0), 64, "arm64", False).state == "ok"


@pytest.mark.parametrize("package, version, state, mend", [
    ("numpy", "1.25.2", "FAULT", '"numpy>=1.26"'), ("numpy", None, "FAULT", '"numpy>=1.26"'),
    ("numpy", "1.26.0", "ok", ""), ("matplotlib", None, "FAULT", '"matplotlib"'),
    ("torch", None, "note", '"torch>=2.4"'), ("torch", "2.3.1+cpu", "FAULT", '"torch>=2.4"'),
    ("torch", "2.13.0+cu130", "ok", ""),
    ("ipywidgets", "7.7.1", "ok", ""), ("ipywidgets", "7.6.9", "FAULT", '"ipywidgets>=7.7"'),
])
def test_package_versions(package, version, state, mend):
    sound = {"numpy": "2.0", "torch": "2.4", "ipywidgets": "8", "jupyterlab": "4.0"}
    findings = doctor.check_packages(lambda name: version if name == package else sound.get(name, "1"))
    [finding] = [finding for finding in findings if finding.what == package]
    assert finding.state == state
    assert mend in finding.mend
    assert {other.state for other in findings if other.what != package} == {"ok"}


def test_a_broken_package_is_found(tmp_path, monkeypatch):
    (tmp_path / "broken_for_doctor.py").write_text("raise ImportError('libthing.so.9: cannot open')")
    (tmp_path / "broken_for_doctor-1.0.dist-info").mkdir()
    (tmp_path / "broken_for_doctor-1.0.dist-info" / "METADATA").write_text("Name: broken_for_doctor\nVersion: 1.0\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    [finding] = doctor.check_imports(("broken_for_doctor",))
    assert (finding.state, finding.found) == ("FAULT", "fails: libthing.so.9: cannot open")


def cuda(name, major, minor, bf16, archs):
    properties = SimpleNamespace(name=name, major=major, minor=minor, total_memory=16e9)
    return SimpleNamespace(cuda=SimpleNamespace(
        get_device_properties=lambda index: properties, get_arch_list=lambda: archs,
        is_bf16_supported=lambda including_emulation: bf16))


@pytest.mark.parametrize("name, capability, bf16, state, words", [
    ("Tesla T4", (7, 5), False, "ok", "sm_75; fast in float32, float16"),
    ("NVIDIA H200", (9, 0), True, "ok", "sm_90; fast in float32, TF32, float16, bfloat16"),
    ("Tesla K80", (3, 7), False, "FAULT", "sm_37) is older than this torch supports"),
])
def test_gpu_precisions(name, capability, bf16, state, words):
    finding = doctor._describe_cuda(cuda(name, *capability, bf16, ["sm_75", "sm_90"]))
    assert finding.state == state
    assert words in finding.found
    assert finding.found.endswith(words) or state == "FAULT"


def test_memory_and_disk():
    assert doctor.check_memory(10**9).state == "FAULT"
    assert "1.0 GB available" in doctor.check_memory(10**9).found
    assert doctor.check_memory(3 * 10**9).state == "ok"
    assert doctor.available_memory() is None or 10**7 < doctor.available_memory() < 10**14
    assert doctor.check_disk(Path.cwd(), 10**8).state == "FAULT"
    assert doctor.check_disk(Path.cwd(), 10**11).state == "ok"


def test_offline_is_a_note_and_takes_a_second_at_most():
    start = time.perf_counter()
    finding = doctor.check_network(host="192.0.2.1", seconds=0.5)  # an address that is reserved for nobody
    assert finding.state == "note"
    assert "offline" in finding.found
    assert time.perf_counter() - start < 1


def test_online_is_seen(monkeypatch):
    line = SimpleNamespace(close=lambda: None)
    monkeypatch.setattr(doctor.socket, "create_connection", lambda address, timeout: line)
    assert doctor.check_network().found == "online"


def test_table_counts_faults():
    rows = [doctor.Finding("ok", "a", "b"), doctor.Finding("FAULT", "long name", "c", "type this")]
    assert doctor.table(rows).splitlines() == [
        "ok     a          b", "FAULT  long name  c", "                  -> type this", "",
        "1 fault; the arrow under it says what mends it"]


def test_report_has_no_path_of_this_machine(tmp_path, monkeypatch):
    finding = doctor.Finding("note", "a", f"in {Path(doctor.cnnlib.__file__).parent}", f"{doctor.PIP} b")
    monkeypatch.setattr(doctor, "examine", lambda folder: [finding])
    assert doctor.report(tmp_path).splitlines()[:2] == ["note   a  in cnnlib", '          -> python -m pip install b']


def test_a_package_under_another_name_counts(monkeypatch):
    def version(name):
        if name == "opencv-python":
            return "4.12.0"
        raise doctor.metadata.PackageNotFoundError(name)
    monkeypatch.setattr(doctor.metadata, "version", version)
    assert doctor.installed_version("opencv-python-headless") == "4.12.0"
    assert doctor.installed_version("numpy") is None
