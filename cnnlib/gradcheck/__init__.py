"""Is a gradient right? Central differences over every entry, the adjoint identity, and a proof in letters.

A formula for a gradient is compared with what a gradient *is*: how much the result moves when one entry moves,

    (f(x + eps) - f(x - eps)) / (2 eps)

whose own error is about eps^2 from the curvature plus 1e-16 / eps from rounding. Where a function has a kink (a
rectifier at 0, two equal maxima) there are two slopes and no derivative: such entries are found and named, not failed.
"""

from cnnlib.gradcheck._adjoint import adjoint_error
from cnnlib.gradcheck._differences import error_by_step, numerical_gradient
from cnnlib.gradcheck._letters import in_letters
from cnnlib.gradcheck._report import Entry, Report, backward_of, gradcheck

__all__ = ["Entry", "Report", "adjoint_error", "backward_of", "error_by_step", "gradcheck", "in_letters",
           "numerical_gradient"]
