"""Calls of NumPy that are written down beforehand and made later, by whichever thread takes them."""

from cnnlib._threads import scratch


class Steps(list):
    """What one job does: calls of NumPy, written down now.

    Between two threads the interpreter is what is short: making a view takes as long as a small copy, and nobody else
    moves meanwhile. A job has memory of its own, `scratch(name, shape)`, as the steps of another may run at the same
    time.
    """

    def __init__(self, job=None):
        super().__init__()
        self.job = job

    def scratch(self, name, shape):
        return scratch((name, self.job), shape)

    def add(self, function, *arguments):
        self.append((function, arguments))

    def run(self):
        for function, arguments in self:
            function(*arguments)
