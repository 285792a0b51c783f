"""What is measured on a GPU runs on a CPU, as small as it can be."""

from functools import partial

import pytest
import torch

from benchmarks.speed import gpu
from benchmarks.speed.contest import Effort
from benchmarks.speed.subject import Case
from pipeline.core.population import compiling

SMALL = Effort(repeats=2, seconds=0.001)
EAGER, OWN_GRAPH = gpu.WAYS[0], gpu.WAYS[6]


def cell(learner, way):
    return Case(learner, 2, 8, 8, 2), way


@pytest.fixture
def without_a_compiler(monkeypatch):
    """Graphs are made as on a GPU and run kernel by kernel; precision is given back."""

    def as_on_a_gpu(method, about):
        return compiling._compiled(method)

    monkeypatch.setattr(compiling, "Program", as_on_a_gpu)
    monkeypatch.setattr(torch, "compile", partial(torch.compile, backend="eager"))
    before = torch.get_float32_matmul_precision()
    yield
    torch.set_float32_matmul_precision(before)


@pytest.mark.slow
@pytest.mark.usefixtures("unchecked", "without_a_compiler")
def test_populations_are_timed_one_after_the_other():
    wanted = [cell("sac", OWN_GRAPH), cell("sql", EAGER)]
    found = list(gpu.within(1000, wanted, "cpu", SMALL))
    assert [len(rows) for rows in found] == [SMALL.repeats] * 2
    assert all(row["seconds"] > 0 for rows in found for row in rows)
    table = list(gpu.lines([row for rows in found for row in rows]))
    assert table[3].startswith("| sac | 2×8 | 2 | reduce-overhead | TF32 |")
    assert table[4].startswith("| sql | 2×8 | 2 | eager | float32 |")


def test_nothing_is_begun_that_there_is_no_time_for(monkeypatch, capsys):
    monkeypatch.setattr(gpu, "timed", lambda case, way, *_: [(case.learner, way)])
    wanted = [cell("sac", OWN_GRAPH), cell("sql", EAGER)]
    budget = (gpu.EXPECTED["none"] + gpu.EXPECTED["reduce-overhead"]) / 2
    assert list(gpu.within(budget, wanted, "cpu", SMALL)) == [[("sql", EAGER)]]
    assert (
        "reduce-overhead, TF32 × 2: 15 s left of 15\n  left out"
        in capsys.readouterr().err
    )


def test_a_population_that_does_not_fit_is_left_out(monkeypatch, capsys):
    def timed(case, *_):
        if case.learner == "sac":
            raise torch.cuda.OutOfMemoryError("too large")
        return [case.learner]

    monkeypatch.setattr(gpu, "timed", timed)
    wanted = [cell("sac", EAGER), cell("sql", EAGER)]
    assert list(gpu.within(1000, wanted, "cpu", SMALL)) == [["sql"]]
    assert "failed: too large" in capsys.readouterr().err


def test_the_population_that_is_asked_about_comes_first():
    first = gpu.cells()[: len(gpu.WAYS) - 1]
    assert {(case.learner, case.members, case.width) for case, _ in first} == {
        ("sac", 256, 256)
    }
    assert len(set(gpu.cells())) == len(gpu.cells())
