"""``python -m cnnlib.train RECIPE``: train a net of the course from the command line.

    python -m cnnlib.train digits
    python -m cnnlib.train lenet5-mnist
    python -m cnnlib.train resnet20-cifar10 --nn torch --mixed-precision
    python -m cnnlib.train digits --nn torch --epochs 30 --checkpoint run.npz --resume
    torchrun --nproc_per_node 2 -m cnnlib.train digits --nn torch

A recipe is a function that returns the arguments of :func:`cnnlib.training.fit`. Under ``torchrun`` every process
runs it, and fit does one step with all of them.
"""

import argparse
import os
import sys

import numpy as np

from cnnlib import data, initializers, layers, training
from cnnlib.architectures import lenet5
from cnnlib.recipes import cifar10_94, imagenette, resnet20_cifar10
from cnnlib.recipes._parts import sgd_with_cosine


def digits_net(nn, rng):
    """Return a small net for digits of 8×8 pixels, its first weights drawn as He et al. do, the same in either engine.

    Parameters
    ----------
    nn : cnnlib.layers or cnnlib.torch_layers
    rng : np.random.Generator
    """
    net = nn.Sequential({
        "conv1": nn.Conv2d(1, 16, 3, padding=1), "relu1": nn.ReLU(),
        "conv2": nn.Conv2d(16, 32, 3, padding=1), "relu2": nn.ReLU(), "pool": nn.MaxPool2d(2),
        "flatten": nn.Flatten(), "fc1": nn.Linear(32 * 4 * 4, 64), "relu3": nn.ReLU(), "fc2": nn.Linear(64, 10)})
    return initializers.redraw(net, initializers.he_normal, rng)


def digits(nn=layers, *, seed=0, epochs=15, split="mixed", pixels=1):
    """Return what fit needs to learn scikit-learn's digits to over 98 %: lecture 34.

    Parameters
    ----------
    nn : cnnlib.layers or cnnlib.torch_layers
    seed : int
        Of the first weights and of the run.
    epochs : int
    split : {"mixed", "last"}
        See :func:`cnnlib.data.load_digits`.
    pixels : int
        How far pictures are moved at most; 0 leaves them.
    """
    train, test = data.load_digits(split=split)
    net = digits_net(nn, np.random.default_rng(seed))
    optimizer, cosine = sgd_with_cosine(nn, net, 0.1)
    return dict(model=net, train=train, valid=test, epochs=epochs, optimizer=optimizer, batch_size=64, seed=seed,
                schedule=cosine, augment=(lambda x, rng: training.shift(x, pixels, rng=rng)) if pixels else None)


def lenet5_mnist(nn=layers, *, seed=0, epochs=20, num_train=None, num_test=None):
    """Return what fit needs to train LeNet-5, in today's form, on MNIST: lecture 40.

    Parameters
    ----------
    nn : cnnlib.layers or cnnlib.torch_layers
    seed : int
        Of the first weights and of the run.
    epochs : int
    num_train, num_test : int, optional
        Only that many pictures, for a trial; None takes all.

    Notes
    -----
    The pictures of 28 x 28 get a frame of 2 pixels and are moved by up to 2, which takes nothing out of them.
    """
    splits = data.load_mnist(num_train, num_test)
    train, test = ((np.pad(x, ((0, 0), (0, 0), (2, 2), (2, 2))), y) for x, y in splits)
    net = initializers.redraw(lenet5(nn=nn), initializers.he_normal, np.random.default_rng(seed))
    optimizer, cosine = sgd_with_cosine(nn, net, 0.05)
    return dict(model=net, train=train, valid=test, epochs=epochs, optimizer=optimizer, batch_size=64, seed=seed,
                schedule=cosine, augment=lambda x, rng: training.shift(x, 2, rng=rng))


RECIPES = {"digits": digits, "lenet5-mnist": lenet5_mnist, "resnet20-cifar10": resnet20_cifar10.recipe,
           "cifar10-94": cifar10_94.recipe, "imagenette": imagenette.recipe}


def main(arguments=None):
    """Train as the command line says; return 0."""
    parser = _parser()
    asked = parser.parse_args(arguments)
    if (asked.recipe is None) == (asked.named is None):
        parser.error(f"say one recipe: {', '.join(RECIPES)}")
    recipe = RECIPES[asked.recipe or asked.named]
    if asked.nn == "torch":
        from cnnlib import torch_layers as nn
    else:
        nn = layers
    alone = _join_processes(asked.device)
    recipe = recipe(nn, seed=asked.seed, **({} if asked.epochs is None else {"epochs": asked.epochs}))
    if asked.dtype is not None:
        recipe["model"].to(getattr(sys.modules["torch"], asked.dtype) if nn is not layers else asked.dtype)
    history = training.fit(**recipe, device=asked.device, mixed_precision=asked.mixed_precision,
                           checkpoint=asked.checkpoint, checkpoint_every=asked.checkpoint_every, resume=asked.resume)
    if alone or int(os.environ["RANK"]) == 0:
        print(history)
        if asked.csv:
            history.to_csv(asked.csv)
    if not alone:
        import torch

        torch.distributed.destroy_process_group()
    return 0


def _parser():
    parser = argparse.ArgumentParser(prog="python -m cnnlib.train", description="Train a net of the course.")
    parser.add_argument("recipe", nargs="?", choices=RECIPES)
    parser.add_argument("--recipe", dest="named", choices=RECIPES, help="the same, by name")
    parser.add_argument("--nn", choices=("numpy", "torch"), default="numpy", help="our engine or torch's")
    parser.add_argument("--epochs", type=int, help="the recipe's own without")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--device", default="auto")
    parser.add_argument("--dtype", choices=("float32", "float64"), help="of the weights")
    parser.add_argument("--mixed-precision", action="store_true", help="half precision where the GPU has it")
    parser.add_argument("--checkpoint", metavar="PATH.npz", help="keep everything there after each epoch")
    parser.add_argument("--checkpoint-every", type=int, metavar="STEPS")
    parser.add_argument("--resume", action="store_true", help="go on from the checkpoint, if it is there")
    parser.add_argument("--csv", metavar="PATH", help="write the history there")
    return parser


def _join_processes(device):
    """Under torchrun, join the other processes and take a GPU; return whether this process is the only one."""
    if int(os.environ.get("WORLD_SIZE", 1)) < 2:
        return True
    import torch

    on_gpu = torch.cuda.is_available() and device in ("auto", "cuda")
    if on_gpu:
        torch.cuda.set_device(int(os.environ["LOCAL_RANK"]))
    torch.distributed.init_process_group("nccl" if on_gpu else "gloo")
    return False


if __name__ == "__main__":
    sys.exit(main())
