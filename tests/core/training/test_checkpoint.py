import subprocess
import sys

import pytest
import torch

from pipeline.core.training import checkpoint
from pipeline.study.store.files import atomic_write


class Tensors:
    """What has a state of some tensors."""

    def __init__(self, **tensors):
        self.tensors = tensors

    def state(self):
        return self.tensors, {"step": 3}

    def load_state(self, tensors, values):
        assert values == {"step": 3}
        self.tensors = {name: tensor.clone() for name, tensor in tensors.items()}


@pytest.mark.parametrize("piece", [8, 50, 2**24])
def test_whatever_the_size_of_its_pieces_a_state_is_read_as_it_was(
    monkeypatch, tmp_path, piece
):
    monkeypatch.setattr(checkpoint, "PIECE", piece)
    wide = torch.randn(3, 50, 7, generator=torch.Generator().manual_seed(0))
    state = {
        "flags": torch.tensor([True, False, True]),
        "part_of_a_block": wide[:, :20],
        "columns": wide.transpose(1, 2),
        "nothing": wide[:, :0],
        "count": torch.tensor(5),
        "exact": wide[0].double() / 3,
        "half": wide[0].bfloat16(),
    }
    checkpoint.save(tmp_path / "state", Tensors(**state), atomic_write)
    found = Tensors()
    checkpoint.restore(tmp_path / "state", found)
    assert found.tensors.keys() == state.keys()
    for name, tensor in state.items():
        assert found.tensors[name].dtype == tensor.dtype
        assert torch.equal(found.tensors[name], tensor), name


IN_LITTLE_MEMORY = """
import resource, sys
from pathlib import Path
import torch
from pipeline.core.memory.replay import Replay, Spill
from pipeline.core.training import checkpoint
from pipeline.study.store.files import atomic_write
from tests.core.training.test_checkpoint import Tensors

torch.set_num_threads(1)
folder = Path(sys.argv[1])

def replay():
    new = Replay(2, 900, states=10_000, actions=2, spill=Spill(0, folder))
    return type("", (), {
        "state": lambda self: (new.state(), {}),
        "load_state": lambda self, tensors, values: new.load_state(tensors),
    })(), new

first, filled = replay()
filled._added += 800  # of 80 kB each, of 2 members: 128 MB
filled._block[:, ::100] = torch.arange(9.0)[None, :, None]
second, other = replay()
status = Path("/proc/self/status").read_text()
used = int(status.split("VmData:")[1].split()[0]) * 1024
resource.setrlimit(resource.RLIMIT_DATA, (used + 40 * 2**20,) * 2)
checkpoint.save(folder / "state", first, atomic_write)
checkpoint.restore(folder / "state", second)
for member in range(2):
    for start in range(0, 800, 100):
        rows = slice(start, start + 100)
        assert torch.equal(filled._block[member, rows], other._block[member, rows])
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="a limit of Linux")
def test_a_replay_that_is_in_a_file_is_saved_and_restored_in_little_memory(tmp_path):
    command = [sys.executable, "-c", IN_LITTLE_MEMORY, str(tmp_path)]
    answer = subprocess.run(command, capture_output=True, text=True, check=False)
    assert answer.returncode == 0, answer.stderr
