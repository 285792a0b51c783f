"""A sweep that was watched, and one that is published from its files, say the same."""

import pytest

from pipeline.study.params.ranges import Choice, Integer, LogUniform
from pipeline.study.params.space import dimensions, read_params
from pipeline.study.store.files import read_csv, write_csv, write_yaml
from pipeline.study.store.fingerprint import write_fingerprints
from pipeline.study.sweep.run import run_sweep
from pipeline.study.sweep.storage import Storage
from pipeline.study.tracking import lockfile
from pipeline.study.tracking.publishing import publish
from pipeline.study.tracking.view import columns
from tests.study import fakes
from tests.study.checked import said
from tests.study.tracking import store

OUTPUTS = [f"results/sweep/sql/{name}" for name in ("best.yaml", "trials")]
CHANGES = {
    "sweep__search__seed": 6,
    "sweep__search__pruning": {
        "percentile": 50.0,
        "startup_trials": 1,
        "warmup_steps": 0,
    },
    "sweep__runs__sql__space": {"temperature.fixed": {"log_uniform": [5.0, 60.0]}},
}


def lock(root):
    """Write what DVC would have written of the sweep."""
    outs = []
    for name in OUTPUTS:
        md5 = lockfile._digest(root / name, lockfile._files(root / name))
        outs.append({"path": name, "md5": md5})
    command = "python -m stages.sweep sql"
    stage = {"cmd": command, "desc": "search", "outs": OUTPUTS}
    write_yaml(root / "params.yaml", {})
    write_yaml(root / "dvc.yaml", {"stages": {"sweep@sql": stage}})
    locked = {"sweep@sql": {"cmd": command, "outs": outs}}
    write_yaml(root / "dvc.lock", {"schema": "2.0", "stages": locked})


@pytest.fixture
def described(checkout, monkeypatch):
    """A sweep of which some trials are complete, others are pruned or fail."""
    monkeypatch.setenv("MAXENT_WORKERS", "1")
    monkeypatch.delenv("MAXENT_OPTUNA_STORAGE", raising=False)
    write_fingerprints(["sweep"])
    return said(fakes.study(**CHANGES), "sweep", "sql")


@pytest.mark.slow
def test_live_and_published_runs_are_the_same(checkout, described, monkeypatch):
    show = Storage.show

    def interrupt(self, over):
        if len(over) == 3:
            raise KeyboardInterrupt
        show(self, over)

    monkeypatch.setattr(Storage, "show", interrupt)
    with pytest.raises(KeyboardInterrupt):
        run_sweep(described, "tiny", work=fakes.judge)
    monkeypatch.setattr(Storage, "show", show)
    run_sweep(described, "tiny", work=fakes.judge)
    live = store.everything()
    infos = {name: run.info for name, run in store.runs().items()}

    lock(checkout)
    done = publish(checkout, study="tiny")
    assert (done.new, done.completed) == (0, 1)
    assert store.everything() == live
    for name, run in store.runs().items():
        before = infos[name]
        assert run.info.run_id == before.run_id
        assert name == "sweep@sql" or run.info.end_time == before.end_time

    store.client().rename_experiment(store.experiment().experiment_id, "before")
    assert publish(checkout, study="tiny").new == 1
    assert store.everything() == live

    rows = read_csv(checkout / "results/sweep/sql/trials/trials.csv")
    assert {row["state"] for row in rows} == {"COMPLETE", "PRUNED", "FAIL"}
    assert len(live) == 1 + len(rows) + 1
    (best,) = [name for name, (_, params, _) in live.items() if "best" in params]
    _, params, metrics = live["sweep@sql"]
    assert best.startswith(f"trial {params['best.trial']} · ")
    assert metrics["best/return"] == live[best][2]["return"]
    fresh = live["sweep@sql fresh seeds"][2]
    assert metrics["fresh/return"] == fresh["return"]
    assert fresh.keys() == {"return", "return/seed_200", "return/seed_201"}
    assert columns(run.data for run in store.runs().values()) == [
        "params.`task`",
        "params.`algorithm`",
        "params.`algorithm.temperature.fixed`",
        "params.`best`",
        "params.`state`",
        "params.`temperature.fixed`",
        "metrics.`best/return`",
        "metrics.`fresh/return`",
        "metrics.`return`",
    ]


@pytest.mark.parametrize("place", [0, 1])
def test_what_was_tried_is_said_as_a_table_has_it(tmp_path, place):
    space = {
        "batch": Integer(integer=(8, 9)),
        "hidden": Choice(choice=([8, 8], "wide")),
        "noise": Choice(choice=(None, 0.5)),
        "rate": LogUniform(log_uniform=(1e-4, 1.0)),
        "twins": Choice(choice=(True, False)),
    }
    params = {name: range_.at(place / 2) for name, range_ in space.items()}
    write_csv(tmp_path / "tried.csv", [*params], [[*params.values()]])
    (row,) = read_csv(tmp_path / "tried.csv")
    assert read_params(dimensions(space), row) == params
