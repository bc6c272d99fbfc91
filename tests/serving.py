"""A server of this machine, for as long as a test needs it."""

import threading
from contextlib import contextmanager


@contextmanager
def serving(server):
    """Let a socketserver answer in a thread of its own; closed, and its thread ended, afterwards."""
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
