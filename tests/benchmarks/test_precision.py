import numpy as np
import pytest

from benchmarks import precision
from pipeline.study.store.files import write_csv


def test_the_interval_of_a_difference_is_students():
    exact = np.array([1.0, 2.0, 3.0])
    low = exact + np.array([0.0, 1.0, 2.0])
    # t = 4.303 at two degrees of freedom, and a standard error of 1 / √3.
    assert precision.difference(low, exact) == "+1 [-1.48, +3.48]"


def test_both_precisions_stand_beside_each_other(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(precision, "RESULTS", tmp_path)
    for number, kind in enumerate(precision.PRECISIONS):
        for run in ("sql_03", "ddpg"):
            rows = [[seed, number, seed, seed] for seed in (1, 2)]
            write_csv(precision.file(run, kind), ["seed", *precision.METRICS], rows)
    precision.compare()
    printed = capsys.readouterr()
    assert "| sql_03 | return | 0 | 1 | +1 [+1, +1] |" in printed.out
    assert "sql_1: not trained in float32 and bfloat16" in printed.err


def test_another_precision_is_refused(capsys):
    with pytest.raises(SystemExit):
        precision.main(["float16"])
    assert "float16" in capsys.readouterr().err
