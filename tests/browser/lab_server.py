"""A JupyterLab of one's own, on a notebook of these cells: for tests, and for the times that a person feels."""

import json
import os
import socket
import subprocess
import sys
import time
import urllib.request
from contextlib import contextmanager

import nbformat

SETTINGS = {
    "@jupyterlab/apputils-extension:notification": {"fetchNews": "false", "checkForUpdates": False},
    "@jupyterlab/notebook-extension:tracker": {"windowingMode": "none"},
}


@contextmanager
def served(cells, work):
    """Start a JupyterLab in the folder `work` on ``widgets.ipynb``, made of these cells; gives its address."""
    (work / "root").mkdir()
    (work / "settings").mkdir()
    (work / "settings" / "overrides.json").write_text(json.dumps(SETTINGS))
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in cells])
    notebook.metadata.kernelspec = {"name": "python3", "display_name": "Python 3", "language": "python"}
    nbformat.write(notebook, work / "root" / "widgets.ipynb")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = {**os.environ, "JUPYTER_CONFIG_DIR": str(work / "config"),
                   "JUPYTERLAB_SETTINGS_DIR": str(work / "user"),
                   "JUPYTERLAB_WORKSPACES_DIR": str(work / "workspaces"),
                   "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    command = [sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", "--ip=127.0.0.1", f"--port={port}",
               "--IdentityProvider.token=", f"--ServerApp.root_dir={work / 'root'}",
               f"--LabApp.app_settings_dir={work / 'settings'}", "--LabApp.news_url="]
    address = f"http://127.0.0.1:{port}"
    with (work / "log").open("w") as log:
        server = subprocess.Popen(command, stdout=log, stderr=log, env=environment)
        try:
            wait_for(lambda: urllib.request.urlopen(f"{address}/api", timeout=1).close() or True, 90)
            yield address
        finally:
            server.terminate()
            server.wait(120)  # a busy machine takes its time


def wait_for(answer, seconds):
    """Ask until the answer is true; what it raises last is raised when time is up."""
    end = time.monotonic() + seconds
    while True:
        try:
            if found := answer():
                return found
        except OSError:
            if time.monotonic() > end:
                raise
        assert time.monotonic() < end, "nothing came in time"
        time.sleep(0.2)


def kernel_listens(address):
    """Is the notebook's kernel idle, and the page connected to it? (The page's own sign says idle too early.)"""
    with urllib.request.urlopen(f"{address}/api/sessions", timeout=5) as answer:
        kernels = [session["kernel"] for session in json.load(answer)]
    return kernels and kernels[0]["execution_state"] == "idle" and kernels[0]["connections"] > 0


def run_all_cells(page, address):
    """Open the notebook and run all of its cells."""
    page.goto(f"{address}/lab/tree/widgets.ipynb?reset", timeout=90_000)
    wait_for(lambda: kernel_listens(address), 90)
    page.wait_for_selector('.jp-Notebook-ExecutionIndicator[data-status="idle"]', timeout=90_000)
    page.click('.lm-MenuBar-itemLabel:text-is("Run")')
    page.click('.lm-Menu-itemLabel:text-is("Run All Cells")')
