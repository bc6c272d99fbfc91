"""Ctrl-C waits for the end of a step, so that weights are never half updated."""

import signal
import threading


class Interrupt:
    """A context in which Ctrl-C sets `asked`; a second one interrupts at once, as always."""

    asked = False

    def __enter__(self):
        self.before = None
        if threading.current_thread() is threading.main_thread():
            self.before = signal.getsignal(signal.SIGINT)
            if callable(self.before):  # neither ignored nor another language's
                signal.signal(signal.SIGINT, self._ask)
        return self

    def __exit__(self, *error):
        if callable(self.before):
            signal.signal(signal.SIGINT, self.before)

    def _ask(self, number, frame):
        if self.asked:
            raise KeyboardInterrupt
        self.asked = True
