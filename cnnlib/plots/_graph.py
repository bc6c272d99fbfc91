"""What a drawing of a graph of :class:`cnnlib.scalar.Value` says: names, formulas, and what is known after each step.

Forward, each operation is a step; then the result's gradient is set to 1; then each operation is a step on the way
back, which hands its gradient, times a slope, to its inputs. Numbers without a name are constants: they stand in the
formulas and have no place of their own.
"""

from math import isfinite

from cnnlib.plots._style import number_text

WORDS = {"+": "{} + {}", "*": "{} · {}", "exp": "exp({})", "log": "log({})", "tanh": "tanh({})",
         "sigmoid": "σ({})", "relu": "relu({})"}
RAISED = str.maketrans("-.0123456789", "⁻·⁰¹²³⁴⁵⁶⁷⁸⁹")


class Walk:
    """The steps through a graph, forward and back.

    Parameters
    ----------
    value : Value
        The result. Leaves with a name are drawn, leaves without one are constants.

    Attributes
    ----------
    nodes : list of Value
        All but the constants, each after its inputs, the result last.
    operations : list of Value
        Those that are computed from others.
    last : int
        The number of the last step; 0 is the start, at which only the leaves are known.
    grads : dict of id to float
        The derivative of the result with respect to each node, whatever stands in its ``grad``.
    """

    def __init__(self, value):
        order = value.graph()
        changing = set()
        for node in order:
            if node.name and not node.op or any(id(source) in changing for source in node.inputs):
                changing.add(id(node))
        if id(value) not in changing:
            raise ValueError('no number that the result was computed from has a name: Value(2.0, "w") gives one')
        self.result = value
        self.nodes = [node for node in order if id(node) in changing]
        self.operations = [node for node in self.nodes if node.op]
        self.last = 2 * len(self.operations) + 1
        unnamed = [node for node in self.operations if not node.name]
        self._names = {id(node): f"v{k}" for k, node in enumerate(unnamed, 1)}
        self._changing = changing
        self.grads = {id(node): 0.0 for node in self.nodes} | {id(value): 1.0}
        for node in reversed(self.operations):
            for source, slope in self.wires(node):
                self.grads[id(source)] += slope * self.grads[id(node)]

    def name(self, node):
        return node.name or self._names[id(node)]

    def wires(self, node):
        """Return the (input, slope) of a node that are no constants; an input that is used twice stands there twice."""
        return [(source, slope) for source, slope in zip(node.inputs, node.slopes) if id(source) in self._changing]

    def formula(self, node, *, numbers=False):
        """Return how a node is computed, in names or in the numbers themselves."""
        parts = [short(source.data) if numbers or id(source) not in self._changing else self.name(source)
                 for source in node.inputs]
        fixed = [id(source) not in self._changing for source in node.inputs]
        if node.op == "*" and True in fixed and node.inputs[fixed.index(True)].data == -1:
            return f"−{bracketed(parts[1 - fixed.index(True)])}"
        if node.op == "+" and parts[1].startswith("−"):
            return f"{parts[0]} − {parts[1][1:]}"
        if node.op.startswith("**"):
            return bracketed(parts[0]) + node.op[2:].translate(RAISED)
        if node.op == "*":
            parts[1] = bracketed(parts[1])
        return WORDS.get(node.op, node.op + "({})").format(*parts)

    def known(self, step):
        """Return what is known after a step.

        Returns
        -------
        set of int
            The ids of the nodes whose numbers are known.
        dict of int to (float, int)
            For each node that has received something on the way back, the sum so far, and how many of its uses have
            not answered yet.
        """
        computed = {id(node) for node in self.operations[:step]} | {id(node) for node in self.nodes if not node.op}
        waiting = {id(node): 0 for node in self.nodes}
        for node in self.operations:
            for source, _ in self.wires(node):
                waiting[id(source)] += 1
        back = step - len(self.operations) - 1
        received = {id(self.result): (1.0, 0)} if back >= 0 else {}
        for node in self._back()[:max(back, 0)]:
            for source, slope in self.wires(node):
                waiting[id(source)] -= 1
                sum_so_far = received.get(id(source), (0.0, 0))[0] + slope * self.grads[id(node)]
                received[id(source)] = (sum_so_far, waiting[id(source)])
        return computed, received

    def active(self, step):
        """Return the node at which a step works, and whether on the way back; (None, False) at the start."""
        count = len(self.operations)
        if step == 0:
            return None, False
        if step <= count:
            return self.operations[step - 1], False
        return (self.result, False) if step == count + 1 else (self._back()[step - count - 2], True)

    def sentence(self, step):
        """Say what a step did, and ask for what the next one will find."""
        return " ".join(filter(None, (self._did(step), self._asks(step + 1))))

    def _back(self):
        return self.operations[::-1]

    def _did(self, step):
        node, back = self.active(step)
        count = len(self.operations)
        if node is None:
            return "Start: what goes in is known."
        if step == count + 1:
            return f"Backward begins with {self._slope(node)} = 1."
        if not back:
            numbers = self.formula(node, numbers=True)
            return f"Forward {step} of {count}: {self.name(node)} = {self.formula(node)} = {numbers} = " \
                   f"{short(node.data)}."
        grad, (_, received), before = self.grads[id(node)], self.known(step), self.known(step - 1)[1]
        parts = []
        for source in dict.fromkeys(source for source, _ in self.wires(node)):
            slopes = [slope for other, slope in self.wires(node) if other is source]
            terms = [short(before[id(source)][0])] if id(source) in before else []
            terms += [f"{short(grad)} · {bracketed(short(slope))}" for slope in slopes]
            more = ", and more to come" if received[id(source)][1] else ""
            parts.append(f"{self._slope(source)} = {' + '.join(terms)} = {short(received[id(source)][0])}{more}")
        return f"Backward {step - count - 1} of {count}, through {self.name(node)}: {'; '.join(parts)}."

    def _asks(self, step):
        count = len(self.operations)
        if step > self.last:
            return ""
        if step == count + 1:
            return "Next: the way back."
        node, back = self.active(step)
        if not back:
            return f"Next: {self.name(node)} = {self.formula(node)} = ?"
        sources = dict.fromkeys(self._slope(source) for source, _ in self.wires(node))
        return f"Next: {' and '.join(sources)}?"

    def _slope(self, node):
        return f"∂{self.name(self.result)}/∂{self.name(node)}"


def bracketed(text):
    """Put a negative number, or a sum, into brackets."""
    return f"({text})" if text.startswith("−") or " " in text else text


def short(number, digits=3):
    """Write a number as a label needs it: whole ones in full, others with so many digits."""
    if not isfinite(number) or abs(number) < 1e6 and number == round(number):
        return number_text(number, 0)
    if not 1e-3 <= abs(number) < 1e6:
        mantissa, exponent = f"{number:.1e}".split("e")
        return f"{mantissa.removesuffix('.0').replace('-', '−')}·10{str(int(exponent)).translate(RAISED)}"
    return f"{number:.{max(digits, len(str(int(abs(number)))))}g}".replace("-", "−")
