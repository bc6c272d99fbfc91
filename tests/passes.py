"""The same weights in both engines, and what each of them gives: scores and gradients."""

import numpy as np
import torch

from cnnlib import layers, torch_layers


def drawn(factory, rng):
    """Return our net with weights drawn so that no layer's numbers vanish; dropout rests."""
    net = without_dropout(factory(nn=layers).reset_parameters(rng))
    for parameter in net.parameters():
        if len(parameter.shape) > 1:
            fan_in = np.prod(parameter.shape[1:])
            parameter.data[...] = rng.standard_normal(parameter.shape, "float32") * np.float32(np.sqrt(2 / fan_in))
        else:
            parameter.data[...] += 0.1 * rng.standard_normal(parameter.shape).astype("float32")
    return net


def with_weights(factory, state_dict, dtype):
    """Return torch's net with these weights; dropout rests."""
    net = without_dropout(factory().to(getattr(torch, dtype)))
    net.load_state_dict(torch_layers.tensors(state_dict))
    return net


def without_dropout(net):
    """Return a net of either engine whose dropout drops nothing."""
    for module in net.modules():
        if type(module).__name__ == "Dropout":
            module.p = 0.0
    return net


def smoothed(net):
    """Put GELU in the place of each ReLU of a net, and the mean in that of each maximum, so that no choice is left.

    Where a ReLU or a maximum hangs on the last digit, one engine may choose otherwise. All gradients below are then
    off by a thousandth, whatever the rounding, which is the subject of tests that use this. The choices themselves
    are compared in float64.
    """
    nn = layers if isinstance(net, layers.Module) else torch_layers
    for name, child in list(net.named_children()):
        kind = type(child).__name__
        if kind in ("ReLU", "ReLU6"):
            setattr(net, name, nn.GELU())
        elif kind == "MaxPool2d":
            setattr(net, name, nn.AvgPool2d(child.kernel_size, child.stride, child.padding, child.ceil_mode))
        else:
            smoothed(child)
    return net


def outputs(net, x):
    out = net(x)
    return out if isinstance(out, tuple) else (out,)


def passes(net, x, grads, training):
    """Return the outputs, the gradient of x, and those of the parameters, as NumPy arrays."""
    net.train(training)
    if isinstance(net, layers.Module):
        net.zero_grad()
        outs = outputs(net, x)
        given = tuple(grad.astype(x.dtype) for grad in grads[:len(outs)])
        grad_x = net.backward(given if len(outs) > 1 else given[0])
        return [*outs], [grad_x, *(np.zeros(p.shape) if p.grad is None else p.grad for p in net.parameters())]
    net.zero_grad()
    leaf = torch.tensor(x, requires_grad=True)
    outs = outputs(net, leaf)
    torch.autograd.backward(outs, [torch.tensor(grad.astype(x.dtype)) for grad in grads[:len(outs)]])
    return ([out.detach().numpy() for out in outs],
            [leaf.grad.numpy(), *(np.zeros(tuple(p.shape)) if p.grad is None else p.grad.numpy()
                                  for p in net.parameters())])


def relative(grad, true):
    """Return the length of the difference, for a true gradient of length 1."""
    return float(np.linalg.norm(grad - true) / max(np.linalg.norm(true), 1e-30))


def by_layer(names, gradients):
    """Return gradients, that of x and those of the parameters of these names, as one row of numbers for each layer."""
    layers_of = ["x", *(name.rpartition(".")[0] for name in names)]
    return [np.concatenate([grad.ravel() for grad, of in zip(gradients, layers_of, strict=True) if of == layer])
            for layer in dict.fromkeys(layers_of)]
