"""Other libraries in these tests: they stay off the network, and to one thread of PyTorch each."""

import os

import pytest

# Before anything imports huggingface_hub.
os.environ["HF_HUB_OFFLINE"] = "1"


@pytest.fixture(scope="module", autouse=True)
def _one_thread():
    """Tests run in as many processes as there are cores: threads beyond these wait in circles."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)
