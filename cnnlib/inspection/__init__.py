"""What goes on inside a net: how large its numbers are, layer by layer."""

from cnnlib.inspection.sizes import output_sizes

__all__ = ["output_sizes"]
