"""What a download says while it runs: a bar where somebody watches, one line at the end where nobody does."""

import sys
import time

WIDTH = 24  # characters of the bar
EVERY = 0.2  # seconds between two drawings


def megabytes(size):
    """A size as one reads it: ``9.9 MB``, and small ones in bytes."""
    return f"{size / 1e6:.1f} MB" if size >= 1e5 else f"{size:,} bytes"


def say(text):
    """Print a line at once, in characters that every console has."""
    print(text.encode("ascii", "replace").decode(), flush=True)


class Bar:
    """The progress of one file."""

    def __init__(self, title, total):
        self.title, self.total = title, total
        self.begun = self.drawn = time.monotonic()
        # A notebook's output is no terminal, and yet shows what is printed as it comes and redraws a line.
        self.is_watched = sys.stdout.isatty() or type(sys.stdout).__module__.startswith("ipykernel")

    def update(self, done):
        """Redraw the bar, at most five times a second; `done` is the number of bytes that are here."""
        now = time.monotonic()
        if self.is_watched and now - self.drawn >= EVERY:
            self.drawn = now
            print("\r" + self.line(done, now - self.begun), end="", flush=True)

    def line(self, done, seconds):
        """The bar as text, with the speed and the seconds that are left at this speed."""
        filled = WIDTH * done // self.total
        speed = done / max(seconds, 1e-3)
        left = f"{(self.total - done) / speed:.0f} s left" if done else "waiting"
        return (f"{self.title} [{'#' * filled}{'.' * (WIDTH - filled)}] {100 * done // self.total:3d} % of "
                f"{megabytes(self.total)}, {speed / 1e6:.1f} MB/s, {left}").ljust(100)

    def clear(self):
        """Take the bar away, so that a line can be printed in its place."""
        if self.is_watched:
            print("\r" + " " * 100 + "\r", end="", flush=True)
