"""What tests that press Ctrl-C need."""

import signal

import pytest


@pytest.fixture
def ctrl_c_is_heard():
    """Let Ctrl-C interrupt: a shell that runs the tests in the background (`make test &`) has them ignore it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)
