import json
import re
import shutil

import pytest
from ruamel.yaml import YAML

from pipeline.study.params.load import load_study
from stages import compare, report
from tests.study.checked import check
from tests.study.synthetic import let_fail, small_study, write_results


def written(root):
    out = root / "results/report"
    return {
        path.relative_to(out).as_posix(): path.read_bytes()
        for path in out.rglob("*")
        if path.is_file()
    }


@pytest.fixture
def change(tmp_path, monkeypatch):
    """Write results for the small study with some of its blocks replaced."""
    monkeypatch.chdir(tmp_path)

    def changed(**blocks):
        small_study(tmp_path)
        if blocks:
            path = tmp_path / "params.yaml"
            data = YAML(typ="safe").load(path) | blocks
            YAML(typ="safe").dump(data, path)
            shutil.rmtree(tmp_path / "results")
            write_results(check(load_study(path)), tmp_path)
        compare.main()
        report.main()
        return (tmp_path / "results/report/report.html").read_text()

    return changed


@pytest.mark.slow
def test_the_page_has_everything_and_nothing_from_outside(change, tmp_path):
    page, found = change(), written(tmp_path)
    for part in (
        "Claims of the paper",
        "Exploration: multigoal",
        "Searches",
        "How much settings matter: multigoal",
        "Search: sql",
        "seed 101 stopped at step 150: its loss is nan",
        "Theory",
        "Against the exact answer",
        "Robustness: multigoal",
        "Composition",
    ):
        assert part in page
    assert "Search: ddpg" not in page
    assert "as written in <code>params.yaml</code>: ddpg" in page
    addresses = re.findall(r'(?:src|href)="([^"]{1,40})', page)
    assert all(one.startswith(("data:image/png;base64,", "#")) for one in addresses)
    anchors = {one[1:] for one in addresses if one.startswith("#")}
    places = re.findall(r' id="([^"]+)"', page)
    assert anchors <= set(places)
    assert len(set(places)) == len(places)
    files = {name for name in found if name.startswith("figures/")}
    tables = {name for name in found if name.startswith("tables/")}
    assert len(tables) == page.count("<table>")
    # Panels and runs of exploration, pretraining, fine-tuning with scratch; sweeps.
    expected = (6 + 4) + 2 * (6 + 1) + (5 + 2) + (6 + 4) + (1 + 2 * 4)
    # Theorems; the oracle and what stands beside it; changed tasks; a composition.
    expected += 4 + 2 + 3 + 6 + 1
    assert len(files) == page.count("<img ") == expected


def pendulum_study():
    """Blocks of a study that explores one environment of Gymnasium."""
    task = YAML(typ="safe").load(
        "{kind: gymnasium, id: Pendulum-v1, discount: 0.99, objective: return, "
        "evaluation: {every: 500, episodes: 2, final_episodes: 10, policy: greedy}}"
    )
    kinds = ("sql", "sac", "ddpg")
    runs = {name: {"algorithm": name, "task": "pendulum"} for name in ("sql", "ddpg")}
    empty = {"steps": 2000, "runs": {}}
    return {
        "tasks": {"pendulum": task},
        "sweep": {"runs": {name: {"task": "pendulum"} for name in kinds}},
        "explore": {"steps": 2000, "runs": runs},
        "exact": {"spacing": 0.1, "oracles": {}},
        "compose": {"runs": {}},
        "pretrain": empty,
        "finetune": empty,
        "scratch": empty,
    }


@pytest.mark.slow
def test_any_task_of_gymnasium_can_be_reported(change, tmp_path):
    page = change(**pendulum_study())
    assert "Exploration: pendulum" in page
    assert "four goals" not in page
    assert "Pretraining" not in page
    assert "Fine-tuning" not in page
    assert "Against the exact answer" not in page
    assert "Robustness" not in page
    assert "Composition" not in page
    assert "Search" not in page
    assert "Goals reached" not in page
    first = written(tmp_path)
    assert not [name for name in first if name.endswith("-nearest_goal.md")]
    report.main()
    assert written(tmp_path) == first, "the same results make other bytes"


@pytest.mark.slow
def test_seeds_that_have_failed_are_counted_and_told(change, tmp_path):
    change(**pendulum_study())
    runs = tmp_path / "results/runs/explore"
    let_fail(runs / "sql", [0])
    let_fail(runs / "ddpg", range(5))
    compare.main()
    report.main()
    found = json.loads((tmp_path / "results/compare/metrics.json").read_text())
    sql, ddpg = (found["explore"][name] for name in ("sql", "ddpg"))
    assert (sql["failed"], ddpg["failed"]) == (1, 5)
    assert sql["return"]["seeds"] == 5
    assert sql["return"]["iqm"] < 0
    assert ddpg["return"]["iqm"] is None  # -∞
    assert sql["probability_of_improvement"]["explore/ddpg"]["return"]["estimate"] > 0.8
    page = (tmp_path / "results/report/report.html").read_text()
    assert "1 of 5 seeds failed" in page
    assert "5 of 5 seeds failed" in page
    assert "\u2212\u221e" in page
