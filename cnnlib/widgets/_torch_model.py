"""What a viewer needs of a torch model, and the only file of the widgets that imports torch."""


def plain(model):
    """Return the model on the CPU, in single precision, with nothing written over in place."""
    for module in model.modules():
        if getattr(module, "inplace", False):
            module.inplace = False
    return model.cpu().float()


def tensor(batch):
    """Return a NumPy batch as a tensor."""
    import torch

    return torch.tensor(batch)


def no_grad():
    """Return the context in which nothing is recorded."""
    import torch

    return torch.no_grad()


def gradients(x, scores_and_wanted):
    """Return the gradients of a score by several tensors; `scores_and_wanted` computes both from the batch."""
    import torch

    with torch.enable_grad():
        score, wanted = scores_and_wanted(x.requires_grad_(True))
        return torch.autograd.grad(score, wanted)
