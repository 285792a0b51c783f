"""Rows become tables, and tables find their place."""

from dataclasses import asdict

import pytest
import torch

from benchmarks.speed import __main__ as speed
from benchmarks.speed import clock, contest, rows
from benchmarks.speed.device import described
from benchmarks.speed.subject import Case


def timed(labels, seconds, *, each=1):
    """Rows of one contestant."""
    return [
        {**labels, "repeat": repeat, "done": each, "seconds": spent}
        for repeat, spent in enumerate(seconds)
    ]


def text(table, measured):
    return "\n".join(speed.TABLES[table].lines(measured))


def test_rows_are_read_as_they_were_written(tmp_path):
    written = [{"side": "ours", "members": 2, "seconds": 0.25}, {"side": "theirs"}]
    path = tmp_path / "speed.csv"
    rows.write(path, written)
    where, found = rows.read(path)
    assert found == written
    assert "torch" in where


def test_numbers_have_three_digits_and_no_exponents():
    assert rows.spread([1234.5, 12.345, 0.0012345]) == "12.3 (0.00123 … 1230)"
    assert rows.spread([1e6, 2e6, 3e6]) == "2000000 (1000000 … 3000000)"


def test_a_ratio_is_taken_within_each_repetition():
    ours, theirs = timed({}, [1.0, 2.0]), timed({}, [2.0, 8.0])
    assert rows.ratios(ours, theirs) == [2.0, 4.0]


def test_updates_stand_beside_their_bare_products():
    case = Case("sql", 2, 128, 256)
    found = text(
        "updates",
        [
            *timed({"what": "large product"}, [0.2]),
            *timed(asdict(case) | {"what": "update"}, [0.04]),
            *timed(asdict(case) | {"what": "products"}, [0.02]),
        ],
    )
    assert "85.9 (85.9 … 85.9) GFLOP/s" in found  # 2 · 2048³ / 0.2
    row = found.splitlines()[-1].split(" | ")
    assert row[5] == "eager"
    assert row[6:9] == ["40 (40 … 40)", "50 (50 … 50)", "2077"]
    assert row[-1] == "50 (50 … 50) |"


def test_every_update_is_a_case_of_its_own():
    measured = list(speed.updates.cases())
    assert len(set(measured)) == len(measured)
    compared = speed.updates.contestants(measured), speed.peers.contestants()
    for contestants in compared:
        labels = [tuple(one.labels.items()) for one in contestants]
        assert len(set(labels)) == len(labels)


def test_peers_are_compared_with_ours_of_the_same_row():
    labels = {"target": "P3"} | asdict(Case("sac", 1, 128, 64))
    own = labels | {"side": speed.peers.OURS}
    found = text(
        "peers",
        [
            *timed(labels | {"target": "P1", "side": "plain PyTorch"}, [1.0]),
            *timed(own, [1.0, 1.0], each=100),
            *timed(own | {"program": "graph"}, [0.5, 0.5], each=100),
            *timed(labels | {"side": "stable-baselines3"}, [2.0, 4.0], each=100),
            *timed(labels | {"side": "SBX"}, [1.0, 2.0], each=100),
        ],
    )
    columns = "over plain PyTorch | over stable-baselines3 | over SBX |"
    ours, compiled, theirs, in_jax = found.splitlines()[-4:]
    assert found.splitlines()[0].endswith(columns)
    assert ours.endswith("|  | 3 (2 … 4) | 1.5 (1 … 2) |")
    assert compiled.endswith("|  | 6 (4 … 8) | 3 (2 … 4) |")
    assert theirs.endswith("|  |  |  |")
    assert in_jax.endswith("|  |  |  |")


def test_populations_on_a_gpu_have_a_row_for_every_way():
    about = {"device": "a GPU", "gibibytes": 2.5, "refused": 0}
    measured = [
        {**described(*cell), **about, **row}
        for cell in speed.gpu.cells()
        for row in timed({}, [0.005])
    ]
    rows = text("gpu", measured).splitlines()[4:]
    assert len(rows) == len(measured)
    assert "| 256 | eager | float32 | 5 (5 … 5) | 51200 (51200 … 51200) |" in rows[0]
    assert "| compiled, CUDA graph | bfloat16 |" in rows[4]
    refused = text("gpu", [measured[6] | {"refused": 1}]).splitlines()[4]
    assert "| reduce-overhead, no CUDA graph | TF32 |" in refused


def test_what_was_not_measured_on_a_gpu_is_named(tmp_path):
    first, *others = [described(*cell) for cell in speed.gpu.cells()]
    about = {"device": "a GPU", "gibibytes": 2.5, "done": 1, "seconds": 1.0}
    rows.write(tmp_path / "gpu.csv", [first | about])
    found = text("gpu", rows.read(tmp_path / "gpu.csv")[1]).splitlines()
    named = [line for line in found if line.startswith("- ")]
    assert named[0] == "- sac, eager, CUDA graph, float32 × 256, 512, 64, 8, 1"
    assert "- sac, eager, float32 × 512, 64, 8, 1" in named
    assert sum(
        line.count(",") - line.split("×")[0].count(",") + 1 for line in named
    ) == len(others)


def test_what_was_never_measured_says_so(monkeypatch, tmp_path):
    monkeypatch.setattr(speed, "RESULTS", tmp_path)
    assert speed.text("gpu") == "Not measured."


def test_without_a_gpu_nothing_is_measured(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(SystemExit, match="needed: a GPU"):
        list(speed.gpu.measure(contest.Effort(1, 0.1)))


def test_memory_is_compared_with_what_is_remembered():
    mebibytes = {"replay": 3 * 2**20, "learners": 2**20, "grown": 5 * 2**20}
    row = asdict(speed.memory.CASES[0]) | {"transitions": 300, "repeat": 0} | mebibytes
    assert text("memory", [row]).endswith(
        "| 3.0 | 1.0 | 5 (5 … 5) | 1.25 (1.25 … 1.25) |"
    )


def test_a_moment_has_a_row():
    measured = [{"moment": m, "repeat": 0, "seconds": 1.5} for m in speed.start.MOMENTS]
    assert text("start", measured).count("1.5 (1.5 … 1.5)") == len(speed.start.MOMENTS)


def test_a_clock_stops_for_what_is_called_within():
    now = iter([0.0, 0.0, 2.0, 5.0, 6.0])  # made, outer, inner, end of inner, of outer
    watch = clock.Clock(now.__next__)
    with watch.running("outer"), watch.running("inner"):
        pass
    assert watch.seconds == {"outer": 3.0, "inner": 3.0}


def test_an_update_has_its_share_of_a_step():
    seconds = dict.fromkeys(speed.steps.PARTS, 0.001) | {speed.steps.UPDATE: 0.004}
    case = asdict(speed.steps.CASES[0])
    measured = [
        case | {"part": part, "repeat": repeat, "seconds": spent}
        for repeat in (0, 1)
        for part, spent in seconds.items()
    ]
    row = text("steps", measured).splitlines()[-1]
    assert row.startswith("| sac | 2×128 | 64 | 4 (4 … 4) | 1 (1 … 1) |")
    assert row.endswith("| 50 (50 … 50) |")


@pytest.mark.parametrize("table", speed.TABLES)
def test_the_document_has_a_place_for_every_table(table):
    document = speed.DOCUMENT.read_text()
    changed = speed.with_table(document, table, "first")
    assert changed.count("first\n\n<!-- end -->") == 1
    again = speed.with_table(changed, table, "second")
    assert again == speed.with_table(document, table, "second")


def test_a_table_without_a_place_is_an_error():
    with pytest.raises(ValueError, match="speed: peers"):
        speed.with_table("nothing", "peers", "table")


def test_a_table_that_is_not_there_is_refused(capsys):
    with pytest.raises(SystemExit):
        speed.arguments(["udpates"])
    assert "no table udpates" in capsys.readouterr().err


def test_environment_is_given_back(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "7")
    monkeypatch.delenv("MALLOC_TOP_PAD_", raising=False)
    before = dict(contest.os.environ)
    with contest.environment():
        assert contest.os.environ["OMP_NUM_THREADS"] == "1"
        assert "MALLOC_TOP_PAD_" in contest.os.environ
    assert dict(contest.os.environ) == before
