"""Thousands of small convolutions run beside torch's: its threads would only wait for each other."""

import pytest


@pytest.fixture(autouse=True, scope="module")
def one_torch_thread():
    try:
        import torch
    except ImportError:
        yield
        return
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)
