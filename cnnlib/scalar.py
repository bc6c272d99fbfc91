"""Reverse-mode differentiation, one number at a time: all of back-propagation that lecture 30 needs.

A :class:`Value` is a number that remembers what it was computed from. Each operation stands here with its derivative
directly beneath: how much the result moves when an input moves, which is what the way back multiplies by.

    out = f(a, b)          a.grad += d out / d a * out.grad          b.grad += d out / d b * out.grad

The += is the chain rule for a number that is used twice: the paths add up.
"""

import math


class Value:
    """A number in a graph of computations.

    Parameters
    ----------
    data : float
    name : str
        What a drawing of the graph calls it.

    Attributes
    ----------
    grad : float
        After ``result.backward()``: the derivative of the result with respect to this number. Gradients of several
        backward passes add up; `zero_grad` begins anew.

    References
    ----------
    .. [1] Rumelhart, Hinton & Williams, Learning representations by back-propagating errors, Nature 323, 1986.
       doi:10.1038/323533a0
    .. [2] Linnainmaa, Taylor expansion of the accumulated rounding error, BIT 16, 1976. doi:10.1007/BF01931367

    Examples
    --------
    >>> x, w = Value(3.0), Value(2.0)
    >>> y = (w * x - 1) ** 2
    >>> y.backward()
    >>> y.data, x.grad, w.grad
    (25.0, 20.0, 30.0)
    """

    def __init__(self, data, name=""):
        if isinstance(data, bool) or not isinstance(data, (int, float)):
            raise TypeError(f"`data` is {data!r}; a Value holds one number, int or float")
        self.data, self.name, self.grad = float(data), name, 0.0
        self.op, self.inputs, self.slopes = "", (), ()

    def __add__(self, other):
        other = _value(other)
        return _result("+", self.data + other.data, (self, 1.0), (other, 1.0))

    def __mul__(self, other):
        other = _value(other)
        return _result("*", self.data * other.data, (self, other.data), (other, self.data))

    def __pow__(self, exponent):
        if isinstance(exponent, bool) or not isinstance(exponent, (int, float)):
            raise TypeError(f"`exponent` is {exponent!r}; it must be a plain number (a Value: write exp(b * log(a)))")
        if self.data < 0 and exponent != int(exponent) or self.data == 0 and exponent < 0:
            raise ValueError(f"{self.data} ** {exponent} is no real number")
        slope = 0.0 if exponent == 0 else exponent * _power(self.data, exponent - 1)
        return _result(f"**{exponent:g}", _power(self.data, exponent), (self, slope))

    def exp(self):
        try:
            out = math.exp(self.data)
        except OverflowError:
            out = math.inf
        return _result("exp", out, (self, out))

    def log(self):
        if self.data <= 0:
            raise ValueError(f"the logarithm of {self.data} does not exist: the number must be positive")
        return _result("log", math.log(self.data), (self, 1 / self.data))

    def tanh(self):
        out = math.tanh(self.data)
        return _result("tanh", out, (self, 1 - out**2))

    def sigmoid(self):
        small = math.exp(-abs(self.data))  # of a number below 0, so that it never overflows
        out = (1.0 if self.data >= 0 else small) / (1 + small)
        return _result("sigmoid", out, (self, out * (1 - out)))

    def relu(self):
        return _result("relu", max(self.data, 0.0), (self, float(self.data > 0)))

    def backward(self):
        """Give every number that this one was computed from its gradient, added to what stands there."""
        order = self.graph()
        flowing = {id(value): 0.0 for value in order}
        flowing[id(self)] = 1.0
        for value in reversed(order):  # from the result back: each number after all that use it
            grad = flowing[id(value)]
            value.grad += grad
            for source, slope in zip(value.inputs, value.slopes):
                flowing[id(source)] += slope * grad

    def zero_grad(self):
        """Set the gradients of this number and of all that it was computed from to zero."""
        for value in self.graph():
            value.grad = 0.0

    def graph(self):
        """Return the numbers that this one was computed from, itself last, each after its inputs."""
        order, seen, waiting = [], set(), [(self, False)]
        while waiting:
            value, inputs_done = waiting.pop()
            if inputs_done:
                order.append(value)
            elif id(value) not in seen:
                seen.add(id(value))
                waiting.append((value, True))
                waiting.extend((source, False) for source in reversed(value.inputs))
        return order

    def __neg__(self):
        return self * -1

    def __sub__(self, other):
        return self + -_value(other)

    def __truediv__(self, other):
        return self * _value(other) ** -1

    def __radd__(self, other):  # 2 + x
        return self + other

    def __rmul__(self, other):  # 2 * x
        return self * other

    def __rsub__(self, other):  # 2 - x
        return -self + other

    def __rtruediv__(self, other):  # 2 / x
        return self**-1 * other

    def __repr__(self):
        name = f"{self.name} = " if self.name else ""
        return f"Value({name}{self.data:.6g}, grad={self.grad:.6g})"


def _value(number):
    return number if isinstance(number, Value) else Value(number)


def _result(op, data, *inputs):
    """Return the result of an operation; `inputs` are pairs of a Value and the derivative with respect to it."""
    out = Value(data)
    out.op = op
    out.inputs, out.slopes = zip(*inputs)
    return out


def _power(base, exponent):
    try:
        return base**exponent
    except (OverflowError, ZeroDivisionError):  # too large for a float; the slope of a root at 0
        return -math.inf if base < 0 and exponent % 2 == 1 else math.inf
