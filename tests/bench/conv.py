"""Convolution: cnnlib in NumPy beside torch (oneDNN) and beside im2col in compiled C, float32, two threads.

    python -m tests.bench          (or: make bench, which sets the fast-malloc variables)

Each shape is measured forward and backward (gradients of input, weight and bias), for cnnlib in both memory orders
and without Winograd, in one process with the two rivals, which take contiguous (N, C, H, W). A second process repeats
it in the other malloc mode. Writes conv.json and conv.md beside this file.
"""

import datetime
import json
import os
import platform
import statistics
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import numpy as np

from tests.bench import compiled_im2col
from tests.bench.pairs import SIDE, measure, ratio

SHAPES = {  # name: (x shape, weight shape, stride, padding)
    "LeNet C1": ((64, 1, 28, 28), (6, 1, 5, 5), 1, 2),
    "LeNet C3": ((64, 6, 14, 14), (16, 6, 5, 5), 1, 0),
    "CIFAR 3x3": ((64, 64, 32, 32), (64, 64, 3, 3), 1, 1),
    "ResNet 56x56": ((8, 64, 56, 56), (64, 64, 3, 3), 1, 1),
    "ResNet 14x14": ((8, 256, 14, 14), (256, 256, 3, 3), 1, 1),
    "AlexNet conv1": ((8, 3, 224, 224), (64, 3, 11, 11), 4, 2),
    "1x1": ((8, 256, 28, 28), (64, 256, 1, 1), 1, 0),
    "3x3 stride 2": ((8, 64, 56, 56), (128, 64, 3, 3), 2, 1),
}
FAST_MALLOC = {"MALLOC_MMAP_THRESHOLD_": "1000000000", "MALLOC_TRIM_THRESHOLD_": "2000000000"}
OURS = {  # column: (method, batch innermost)
    "auto": ("auto", False), "exact": ("exact", False), "auto, batch innermost": ("auto", True),
}
GOALS = {  # in fast malloc, our time divided by torch's: (direction, column): (geometric mean, each shape) at most
    ("forward", "auto"): (1.45, 3.0), ("forward", "auto, batch innermost"): (1.3, 2.3),
    ("backward", "auto"): (1.05, 1.6), ("backward", "auto, batch innermost"): (1.05, 1.6)}
SMALL_3X3, MOST_3X3 = ("CIFAR 3x3", "ResNet 56x56", "ResNet 14x14"), 1.2  # forward, auto: each of these at most so much
TIMES_COMPILED = (1.3, 1.0)  # the compiled im2col's time divided by ours: (geometric mean, each shape) at least
HERE = Path(__file__).parent


def main(rounds=5, out=HERE, shapes=SHAPES, seconds=SIDE):
    """Measure in both malloc modes, print the tables, and write conv.json and conv.md into `out`."""
    found = {"machine": machine(), "rounds": rounds, "modes": {}}
    for mode, variables in (("fast malloc", FAST_MALLOC), ("default malloc", {})):
        environment = {k: v for k, v in os.environ.items() if k not in FAST_MALLOC} | variables
        command = [sys.executable, "-m", "tests.bench.conv", json.dumps([rounds, shapes, seconds])]
        worker = subprocess.run(command, env=environment, cwd=HERE.parents[1], stdout=subprocess.PIPE, check=True)
        found["modes"][mode] = json.loads(worker.stdout)
    table = tables(found)
    print(table)
    out = Path(out)
    (out / "conv.json").write_text(json.dumps(found, indent=1) + "\n")
    (out / "conv.md").write_text(table)


def measure_all(rounds, shapes, seconds):
    """Return one row for each shape and direction: medians in milliseconds, ratios, foreign load."""
    import torch

    torch.set_num_threads(2)
    rows = []
    for name, shape in shapes.items():
        for direction in ("forward", "backward"):
            times, foreign = measure(_sides(*shape, direction), rounds, seconds)
            rows.append({
                "shape": name, "direction": direction, "foreign_cores": round(foreign, 2),
                "milliseconds": {side: round(1e3 * statistics.median(spent), 3) for side, spent in times.items()},
                "to_torch": {side: round(ratio(times, side, "torch"), 3) for side in OURS},
                "to_compiled": {side: round(ratio(times, "im2col + C", side), 3) for side in OURS
                                if "im2col + C" in times},
            })
            print(name, direction, rows[-1]["to_torch"], file=sys.stderr, flush=True)
    return rows


def _sides(x_shape, weight_shape, stride, padding, direction):
    """Return the functions to time, by name, all on the same numbers."""
    import torch

    from cnnlib._array import batch_innermost
    from cnnlib.conv import conv2d, conv2d_backward

    rng = np.random.default_rng(0)
    x, weight = (rng.standard_normal(s).astype(np.float32) for s in (x_shape, weight_shape))
    out = conv2d(x, weight, stride=stride, padding=padding)
    grad = rng.standard_normal(out.shape).astype(np.float32)
    bias = np.zeros(len(weight), np.float32)
    tx, tw, tg = (torch.from_numpy(a) for a in (x, weight, grad))
    turned = batch_innermost(x), batch_innermost(grad)
    sides = {}
    for side, (method, innermost) in OURS.items():
        a, g = turned if innermost else (x, grad)
        if direction == "forward":
            sides[side] = lambda a=a, m=method: conv2d(a, weight, None, stride, padding, method=m)
        else:
            sides[side] = lambda a=a, g=g, m=method: conv2d_backward(g, a, weight, bias, stride, padding, method=m)
    if direction == "forward":
        sides["torch"] = lambda: torch.nn.functional.conv2d(tx, tw, None, stride, padding)
        rival = lambda: compiled_im2col.forward(x, weight, stride, padding)  # noqa: E731
    else:
        sides["torch"] = lambda: torch.ops.aten.convolution_backward(
            tg, tx, tw, [len(weight)], [stride] * 2, [padding] * 2, [1, 1], False, [0, 0], 1, [True] * 3)
        rival = lambda: compiled_im2col.backward(grad, x, weight, stride, padding)  # noqa: E731
    if compiled_im2col.library():
        sides["im2col + C"] = rival
    return sides


def machine():
    """Describe the machine and the libraries, without names of people or places."""
    import threadpoolctl
    import torch

    cpu = platform.processor() or platform.machine()
    if (info := Path("/proc/cpuinfo")).exists():
        cpu = next((line.partition(":")[2].strip() for line in info.read_text().splitlines()
                    if line.startswith("model name")), cpu)
    pools = threadpoolctl.threadpool_info()
    blas = [f"{lib['internal_api']} {lib['version']} {lib.get('architecture', '')}".strip()
            for lib in pools if lib["user_api"] == "blas"]
    return {"date": datetime.date.today().isoformat(), "cpu": cpu, "cores": os.cpu_count(),
            "threads": max(pool["num_threads"] for pool in pools),
            "python": platform.python_version(), "numpy": np.__version__, "blas": blas, "torch": torch.__version__,
            "cnnlib": version("cnnlib") if _installed() else "source tree"}


def _installed():
    try:
        return bool(version("cnnlib"))
    except ImportError:
        return False


def tables(found):
    """Return the Markdown page of the results."""
    lines = ["# Convolution: cnnlib in NumPy beside torch and beside im2col in compiled C", ""]
    lines += [", ".join(f"{key} {value}" for key, value in found["machine"].items()), "",
              f"Ratios are our time divided by theirs (below 1: we are faster), medians over {found['rounds']} rounds; "
              "\"x C\" is the compiled im2col's time divided by ours. Written by `make bench`."]
    for mode, rows in found["modes"].items():
        for direction in ("forward", "backward"):
            lines += ["", f"## {direction.capitalize()}, {mode}", "",
                      "| shape | torch ms | auto ms | " + " | ".join(f"{side} / torch" for side in OURS)
                      + " | auto x C | other programs, cores |", "|---|" + "---:|" * (len(OURS) + 4)]
            some = [row for row in rows if row["direction"] == direction]
            for row in some:
                ms = row["milliseconds"]
                lines.append(f"| {row['shape']} | {ms['torch']} | {ms['auto']} | "
                             + " | ".join(f"{row['to_torch'][side]:.2f}" for side in OURS)
                             + f" | {row['to_compiled'].get('auto', float('nan')):.2f} | {row['foreign_cores']} |")
            means = [geometric_mean(row["to_torch"][side] for row in some) for side in OURS]
            versus = geometric_mean(row["to_compiled"].get("auto", float("nan")) for row in some)
            lines.append("| geometric mean | | | " + " | ".join(f"{m:.2f}" for m in means) + f" | {versus:.2f} | |")
            if mode == "fast malloc":
                lines += ["", *verdicts(some, direction)]
    return "\n".join(lines) + "\n"


def verdicts(rows, direction):
    """Return a line for each goal of one direction, in fast malloc: reached, or by what it is missed."""
    lines = []
    for side, mean, each in ((side, *goal) for (of, side), goal in GOALS.items() if of == direction):
        values = {row["shape"]: row["to_torch"][side] for row in rows}
        over = geometric_mean(values.values())
        lines += [_verdict(f"{side} / torch, geometric mean at most {mean}", [f"{over:.2f}"] if over > mean else []),
                  _verdict(f"{side} / torch, each at most {each}", [
                      f"{name} ({value:.2f})" for name, value in values.items() if value > each])]
    if direction == "forward":
        lines.append(_verdict(f"auto / torch, each 3x3 of stride 1 at most {MOST_3X3}", [
            f"{row['shape']} ({row['to_torch']['auto']:.2f})" for row in rows
            if row["shape"] in SMALL_3X3 and row["to_torch"]["auto"] > MOST_3X3]))
    if values := {row["shape"]: row["to_compiled"]["auto"] for row in rows if row["to_compiled"]}:
        (mean, each), under = TIMES_COMPILED, geometric_mean(values.values())
        lines += [_verdict(f"auto x C, geometric mean at least {mean}", [f"{under:.2f}"] if under < mean else []),
                  _verdict(f"auto x C, each at least {each}", [
                      f"{name} ({value:.2f})" for name, value in values.items() if value < each])]
    return lines


def _verdict(goal, missed):
    return f"- Goal: {goal}: {'missed by ' + ', '.join(missed) if missed else 'reached'}."


def geometric_mean(values):
    """Return the geometric mean, which treats 2 and 1/2 alike."""
    return float(np.exp(np.mean(np.log(list(values)))))


if __name__ == "__main__":  # one malloc mode, in a process of its own
    print(json.dumps(measure_all(*json.loads(sys.argv[1]))))
