import os
import subprocess
import sys
import time

import pytest

from pipeline.study.errors import UserError
from pipeline.study.machine.processes import processes


def refuse():
    raise UserError("params.yaml: no")


def test_parts_are_computed_elsewhere_and_come_in_their_order():
    with processes() as side_by_side:
        assert list(side_by_side.map(abs, range(0, -9, -1))) == list(range(9))
        assert side_by_side.submit(os.getpid).result() != os.getpid()


def test_a_mistake_that_a_part_finds_is_told():
    with processes() as side_by_side, pytest.raises(UserError, match=r"^params.*no$"):
        side_by_side.submit(refuse).result()


@pytest.mark.slow
def test_nobody_is_left_behind_by_one_that_is_killed():
    main = (
        "import os\n"
        "from pipeline.study.machine.processes import processes\n"
        "with processes() as side_by_side:\n"
        "    print(side_by_side.submit(os.getpid).result(), flush=True)\n"
        "    os.kill(os.getpid(), 9)\n"
    )
    killed = subprocess.run([sys.executable, "-c", main], capture_output=True)
    deadline = time.monotonic() + 20
    while os.path.exists(f"/proc/{int(killed.stdout)}") and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not os.path.exists(f"/proc/{int(killed.stdout)}")
