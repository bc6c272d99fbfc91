"""Training: how well and how fast nets learn in NumPy, and beside torch.

    python -m tests.bench.training [digits] [mnist] [lenet5-mnist] [step]       (without a name: all)

digits       lecture 34's net on scikit-learn's digits, seeds 0 to 4, both splits, pictures as they are and moved
mnist        LeNet-5 on MNIST in NumPy, three epochs, pictures as they are, seeds 0 to 2
lenet5-mnist the recipe of this name as it stands: in torch, on a GPU where there is one, seeds 0 to 2; in NumPy, seed 0
step         a training step of LeNet-5, and 2×2 pooling in both memory orders, beside torch, in seven processes

MNIST is fetched by `cnnlib.data` (or read from CNNLIB_MIRROR). Each part is written into training.json, beside this
file, with the machine and the date, and training.md is made from all of them. Seeds are fixed, not chosen.
"""

import json
import statistics
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

from cnnlib import initializers, layers, train, training
from cnnlib.architectures import lenet5
from cnnlib.recipes._parts import sgd_with_cosine
from tests.bench import parts
from tests.bench.pairs import measure, ratio

HERE = Path(__file__).parent
SEEDS = range(5)
LENET, SHAPES = "LeNet-5, step of 64 × 32×32", ((64, 6, 28, 28), (64, 64, 32, 32))
GOALS = {"LeNet-5": 1.0, "batch innermost": 0.5, "NCHW": 0.65}  # at most so much of torch's time; by a word in `what`
DIGITS = [(split, pixels) for split in ("mixed", "last") for pixels in (0, 1)]


def main(names=(), out=HERE):
    """Run the parts of these names, and write what was found."""
    rows = {"digits": digits, "mnist": mnist, "lenet5-mnist": lenet5_mnist, "step": step}
    parts.run(rows, names, Path(out) / "training", page)


# ---- how well

def digits(seeds=SEEDS, which=DIGITS, epochs=15):
    """Return a row for each split and augmentation: mean and worst accuracy over the seeds, the longest time."""
    rows = []
    for split, pixels in which:
        runs = [training.fit(**train.digits(layers, seed=seed, epochs=epochs, split=split, pixels=pixels),
                             callback=None) for seed in seeds]
        rows.append({"split": split, "moved by up to": pixels, "epochs": epochs} | summary(runs))
        print(rows[-1], file=sys.stderr, flush=True)
    return rows


def mnist(seeds=range(3), epochs=3):
    """Return a row for LeNet-5 in NumPy, its pictures not moved."""
    return [_mnist(layers, seeds, epochs, 0, augment=None)]


def lenet5_mnist(runs=(("torch", range(3)), ("NumPy", range(1))), epochs=20):
    """Return a row for each engine, the recipe's pictures moved by up to 2."""
    from cnnlib import torch_layers

    return [_mnist({"torch": torch_layers, "NumPy": layers}[engine], seeds, epochs, 2) for engine, seeds in runs]


def _mnist(nn, seeds, epochs, pixels, **changes):
    """Return a row for the recipe lenet5-mnist with these changes."""
    runs = [training.fit(**train.lenet5_mnist(nn, seed=seed, epochs=epochs) | changes,
                         callback=lambda progress: progress.epoch_ended and training.text_bar(progress))
            for seed in seeds]
    return {"engine": "NumPy" if nn is layers else f"torch on {_device()}", "moved by up to": pixels,
            "epochs": epochs} | summary(runs)


def _device():
    """Where fit trains torch's nets on this machine."""
    import torch

    return torch.cuda.get_device_name() if torch.cuda.is_available() else "the CPU"


def summary(runs):
    """Return what several histories come to."""
    accuracies = [history.valid_accuracy[-1] for history in runs]
    return {"seeds": len(runs), "accuracies": [round(a, 5) for a in accuracies],
            "mean": round(statistics.mean(accuracies), 5), "worst": round(min(accuracies), 5),
            "longest seconds": round(max(history.seconds[-1] for history in runs), 1)}


# ---- how fast

def step(processes=7, rounds=2, seconds=0.3):
    """Return a row for each pair: the medians over several processes, and the range.

    Each process places its threads and its memory anew, and keeps to that: a step of LeNet-5 takes four milliseconds in
    one and five in the next, in NumPy and in torch alike. One process alone says little.
    """
    command = [sys.executable, "-m", "tests.bench.training", "step-once", str(rounds), str(seconds)]
    runs = []
    for _ in range(processes):
        worker = subprocess.run(command, cwd=HERE.parents[1], stdout=subprocess.PIPE, check=True)
        runs.append(json.loads(worker.stdout))
    rows = []
    for same in zip(*runs):
        ratios = [one["to_torch"] for one in same]
        rows.append({"what": same[0]["what"], "foreign_cores": max(one["foreign_cores"] for one in same),
                     "milliseconds": {side: round(statistics.median(one["milliseconds"][side] for one in same), 3)
                                      for side in same[0]["milliseconds"]},
                     "to_torch": round(statistics.median(ratios), 3), "range": [min(ratios), max(ratios)]})
    return rows


def step_once(rounds, seconds):
    """Return a row for each pair as this process sees it: milliseconds, our time by torch's, other programs' load."""
    import torch

    torch.set_num_threads(2)
    pairs = {LENET: lenet_sides()} | {pooling(shape, order): pool_sides(shape, order)
                                      for order in ("batch innermost", "NCHW") for shape in SHAPES}
    rows = []
    for name, sides in pairs.items():
        times, foreign = measure(sides, rounds, seconds)
        rows.append({"what": name, "foreign_cores": round(foreign, 2),
                     "milliseconds": {side: round(1e3 * statistics.median(spent), 3) for side, spent in times.items()},
                     "to_torch": round(ratio(times, "NumPy", "torch"), 3)})
        print(rows[-1], file=sys.stderr, flush=True)
    return rows


def lenet_sides():
    """Return a step of each engine as it stands in a loop: forward, backward, update."""
    import torch

    from cnnlib import torch_layers

    rng = np.random.default_rng(0)
    x, y = rng.random((64, 1, 32, 32), dtype=np.float32), rng.integers(0, 10, 64)
    ours, theirs = (initializers.redraw(lenet5(nn=nn), initializers.he_normal, np.random.default_rng(0))
                    for nn in (layers, torch_layers))
    our_sgd, _ = sgd_with_cosine(layers, ours, 0.01)
    their_sgd, _ = sgd_with_cosine(torch_layers, theirs, 0.01)
    loss, turned, tx, ty = layers.CrossEntropyLoss(), layers.batch_innermost(x), *map(torch.from_numpy, (x, y))

    def numpy_step():
        value = loss(ours(turned), y)
        ours.zero_grad()
        ours.backward_parameters(loss.backward())
        our_sgd.step()
        return float(value)

    def torch_step():
        their_sgd.zero_grad()
        value = torch.nn.functional.cross_entropy(theirs(tx), ty)
        value.backward()
        their_sgd.step()
        return float(value.detach())

    return {"NumPy": numpy_step, "torch": torch_step}


def pooling(shape, order):
    """Return what a pooling is called."""
    count, channels, height, width = shape
    return f"2×2 maximum pooling, {count} × {channels} × {height}×{width}, {order}"


def pool_sides(shape, order):
    """Return forward and backward of a pooling, on the same numbers; torch's lie in the order NCHW in any case."""
    import torch

    rng = np.random.default_rng(0)
    x = rng.standard_normal(shape).astype(np.float32)
    grad = rng.standard_normal((*shape[:2], shape[2] // 2, shape[3] // 2)).astype(np.float32)
    pool, turn = layers.MaxPool2d(2), layers.batch_innermost if order == "batch innermost" else np.ascontiguousarray
    turned, turned_grad = turn(x), turn(grad)
    tx, tg = torch.from_numpy(x).requires_grad_(), torch.from_numpy(grad)

    def numpy_pool():
        pool(turned)
        return pool.backward(turned_grad)

    def torch_pool():
        return torch.autograd.grad(torch.nn.functional.max_pool2d(tx, 2), tx, tg)[0]

    return {"NumPy": numpy_pool, "torch": torch_pool}


# ---- the page

def page(found):
    """Return the Markdown page of the results."""
    lines = ["# Training: how well and how fast", "", __doc__.partition("\n")[0],
             "Written by `python -m tests.bench.training`. Accuracies are of test pictures, over fixed seeds from 0."]
    for name, part in found.items():
        lines += parts.heading(name, part)
        if name == "step":
            lines += ["| forward, backward, update | NumPy ms | torch ms | NumPy / torch | in single processes | "
                      "goal: at most | other programs, cores |", "|---|---:|---:|---:|---:|---:|---:|"]
            lines += [f"| {row['what']} | {row['milliseconds']['NumPy']} | {row['milliseconds']['torch']} | "
                      f"{row['to_torch']:.2f} | {row['range'][0]:.2f} to {row['range'][1]:.2f} | {verdict(row)} | "
                      f"{row['foreign_cores']} |" for row in part["rows"]]
            continue
        lines += ["| run | epochs | seeds | mean | worst | longest, s |", "|---|---:|---:|---:|---:|---:|"]
        for row in part["rows"]:
            what = row.get("split") or row["engine"]
            lines.append(f"| {what}, moved by up to {row['moved by up to']} | {row['epochs']} | {row['seeds']} | "
                         f"{row['mean']:.2%} | {row['worst']:.2%} | {row['longest seconds']} |")
    return "\n".join(lines) + "\n"


def goal(row):
    """Return the most of torch's time that a row of `step` should take."""
    return next(most for word, most in GOALS.items() if word in row["what"])


def verdict(row):
    return f"{goal(row)}, {'reached' if row['to_torch'] <= goal(row) else 'missed'}"


if __name__ == "__main__" and sys.argv[1:2] == ["step-once"]:
    print(json.dumps(step_once(int(sys.argv[2]), float(sys.argv[3]))))
elif __name__ == "__main__":
    started = time.perf_counter()
    main(sys.argv[1:])
    print(f"{time.perf_counter() - started:.0f} s", file=sys.stderr)
