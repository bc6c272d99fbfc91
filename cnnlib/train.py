"""``python -m cnnlib.train RECIPE``: train a net of the course from the command line.

    python -m cnnlib.train digits
    python -m cnnlib.train lenet5-mnist
    python -m cnnlib.train resnet20-cifar10 --nn torch --mixed-precision
    python -m cnnlib.train digits --nn torch --epochs 30 --checkpoint run.npz --resume
    torchrun --nproc_per_node 2 -m cnnlib.train digits --nn torch

A recipe is a function that returns the arguments of :func:`cnnlib.training.fit`: one file each in ``cnnlib/recipes``.
Under ``torchrun`` every process runs it, and fit does one step with all of them.
"""

import argparse
import os
import sys

from cnnlib import layers, training
from cnnlib.recipes import cifar10_94, imagenette, resnet20_cifar10
from cnnlib.recipes.digits import digits_net
from cnnlib.recipes.digits import recipe as digits
from cnnlib.recipes.lenet5_mnist import recipe as lenet5_mnist

__all__ = ["RECIPES", "digits", "digits_net", "lenet5_mnist", "main"]

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
