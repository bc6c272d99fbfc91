"""Published weights: torchvision's names for what the paper's stages hold, and the files that hold them."""

import re
from functools import partial

from cnnlib import torch_layers
from cnnlib.layers import Module

# torchvision's place of each part of a block: (our name, theirs)
RESNET_PARTS = (("residual.body.", ""), ("residual.shortcut.conv.", "downsample.0."),
                ("residual.shortcut.bn.", "downsample.1."))
ALEXNET = {"conv1": "features.0", "conv2": "features.3", "conv3": "features.6", "conv4": "features.8",
           "conv5": "features.10", "fc6": "classifier.1", "fc7": "classifier.4", "fc8": "classifier.6"}
VGG_TOP = {"fc6": "classifier.0", "fc7": "classifier.3", "fc8": "classifier.6"}
GOOGLENET_STEM = {"conv1": "conv1.conv", "bn1": "conv1.bn", "conv2_reduce": "conv2.conv", "bn2_reduce": "conv2.bn",
                  "conv2": "conv3.conv", "bn2": "conv3.bn", "fc": "fc"}
GOOGLENET_BRANCHES = {"1x1": {"conv": "branch1.conv", "bn": "branch1.bn"},
                      "pool": {"conv": "branch4.1.conv", "bn": "branch4.1.bn"},
                      **{name: {"reduce": f"{branch}.0.conv", "reduce_bn": f"{branch}.0.bn", "conv": f"{branch}.1.conv",
                                "bn": f"{branch}.1.bn"} for name, branch in (("3x3", "branch2"), ("5x5", "branch3"))}}
GOOGLENET_HEAD = {"conv": "conv.conv", "bn": "conv.bn", "fc1": "fc1", "fc2": "fc2"}
HEADS = ("aux1.", "aux2.")  # published with GoogLeNet, untrained


def load_torchvision_weights(model, state_dict):
    """Load weights that were published for torchvision's form of a net into ours, in either engine.

    Parameters
    ----------
    model : layers.Module or torch.nn.Module
        Made by `alexnet`, `vgg`, ``googlenet(variant="torchvision")``, `resnet` (for the bottlenecks of 50 and more
        layers ``variant="torchvision"``); with as many classes as the weights have.
    state_dict : dict of str to array
        By torchvision's names. GoogLeNet's auxiliary heads are left out where the model has none.

    Returns
    -------
    model

    Raises
    ------
    ValueError
        The model is none of these, or a key or a shape does not fit; the message names the first.

    Examples
    --------
    >>> from cnnlib.architectures import alexnet
    >>> from cnnlib import layers
    >>> load_torchvision_weights(alexnet(nn=layers, width=0.1), {})
    Traceback (most recent call last):
    ValueError: `state_dict` lacks 'features.0.weight', which is 'conv1.weight' here; it has 0 keys
    """
    names = torchvision_names(model)
    own = model.state_dict()
    for name, key in names.items():
        if key not in state_dict:
            if name.endswith("num_batches_tracked"):  # files from before torch 0.4.1 have none
                continue
            raise ValueError(f"`state_dict` lacks {key!r}, which is {name!r} here; it has {len(state_dict)} keys"
                             + "".join(f", {other!r} first" for other in list(state_dict)[:1]))
        if tuple(state_dict[key].shape) != tuple(own[name].shape):
            raise ValueError(f"`state_dict` has {key!r} of shape {tuple(state_dict[key].shape)}; {name!r} here has "
                             f"shape {tuple(own[name].shape)}")
    known = set(names.values())
    for key in state_dict:
        if key not in known and not (key.startswith(HEADS) and "inception3a.1x1.conv.weight" in own):
            raise ValueError(f"`state_dict` has {key!r}, for which there is no place here")
    found = {name: state_dict[key] for name, key in names.items() if key in state_dict}
    if isinstance(model, Module):
        model.load_state_dict(found, strict=False)
    else:
        model.load_state_dict(torch_layers.tensors(found), strict=False)
    return model


def torchvision_names(model):
    """Return {name in our state_dict: torchvision's key} of a net whose weights are published.

    Raises
    ------
    ValueError
        The net is another, or a variant that computes something else with the same weights.
    """
    names = list(model.state_dict())
    stages = {name.split(".")[0] for name in names} | {name.split(".")[1] for name in names if "." in name}
    if "conv3_x" in stages and (body := _resnet_body(model)):
        _check_stride(body)
        rule = _resnet
    elif "conv1_1" in stages:
        rule = partial(_vgg, {stage: str(number) for number, (stage, _) in enumerate(model.named_children())})
    elif "inception3a" in stages:
        rule = _googlenet
    elif "fc8" in stages:
        rule = _alexnet
    else:
        raise ValueError(f"`model` is a {type(model).__name__} whose stages begin with {names[0]!r}; weights are "
                         "published for alexnet, vgg, googlenet and resnet")
    return {name: rule(name) for name in names}


def _resnet_body(model):
    """Return what the first block of conv3_x adds to its input; None where it adds nothing: MobileNet has such a group.

    In a plain twin, which has no residual, it is what the block does.
    """
    _, block = next(iter(model.conv3_x.named_children()))
    return getattr(getattr(block, "residual", block), "body", None)


def _check_stride(body):
    """A bottleneck with its stride in the first convolution takes the published weights, and is wrong with them."""
    if hasattr(body, "conv3") and tuple(body.conv1.stride) != (1, 1):
        raise ValueError("`model` has its stride in the 1x1 convolutions, as the paper has it; weights are "
                         "published for resnet(..., variant='torchvision')")


def _resnet(name):
    """``conv3_x.conv3_2.residual.body.bn1.weight`` is ``layer2.1.bn1.weight``."""
    found = re.fullmatch(r"conv(\d)_x\.conv\d_(\d+)\.(.+)", name)
    if not found:
        return name
    group, position, rest = found.groups()
    for ours, theirs in RESNET_PARTS:
        if rest.startswith(ours):
            rest = theirs + rest.removeprefix(ours)
    return f"layer{int(group) - 1}.{int(position) - 1}.{rest}"


def _vgg(places, name):
    stage, _, rest = name.partition(".")
    return f"{VGG_TOP.get(stage) or 'features.' + places[stage]}.{rest}"


def _alexnet(name):
    stage, _, rest = name.partition(".")
    return f"{ALEXNET.get(stage, stage)}.{rest}"


def _googlenet(name):
    """``trunk.inception3a.3x3.reduce.weight`` is ``inception3a.branch2.0.conv.weight``."""
    stage, *between, last = name.removeprefix("trunk.").split(".")
    if stage.startswith("inception"):
        branch, layer = between
        return f"{stage}.{GOOGLENET_BRANCHES[branch].get(layer, layer)}.{last}"
    if stage.startswith("aux"):
        return f"{stage}.{GOOGLENET_HEAD.get(*between, *between)}.{last}"
    return f"{GOOGLENET_STEM.get(stage, stage)}.{last}"
