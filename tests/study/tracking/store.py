"""What an MLflow store says of the study `tiny`, and a live run of it."""

from pathlib import Path

from mlflow.tracking import MlflowClient

from pipeline.study.store.files import read_json
from pipeline.study.tracking.address import tracking_uri
from pipeline.study.tracking.live import LiveRun

STEPS = (100, 200, 300, 400)
TRAIN = [(step, step / 2) for step in STEPS]


def client():
    return MlflowClient(tracking_uri())


def runs():
    """All runs by name, of which there are never two."""
    if experiment() is None:
        return {}
    found = client().search_runs([experiment().experiment_id])
    named = {run.info.run_name: run for run in found}
    assert len(named) == len(found)
    return named


def older(name):
    """The first of two runs of a name."""
    found = client().search_runs(
        [experiment().experiment_id],
        f"attributes.run_name = '{name}'",
        order_by=["attributes.start_time ASC"],
    )
    assert len(found) == 2
    return found[0].info.run_id


def experiment():
    return client().get_experiment_by_name("tiny")


def history(name, metric):
    return points(runs()[name], metric)


def points(run, metric):
    found = client().get_metric_history(run.info.run_id, metric)
    return sorted((point.step, point.value) for point in found)


def artifacts(name, folder):
    """The artifacts of a run as they come back from the store."""
    run_id = runs()[name].info.run_id
    (folder / run_id).mkdir()
    root = Path(client().download_artifacts(run_id, "", str(folder / run_id)))
    return {
        path.relative_to(root).as_posix(): path.read_bytes()
        for path in root.rglob("*")
        if path.is_file()
    }


def everything():
    """All that the store says of the study, without ids and times."""
    return {
        name: (
            run.info.status,
            run.data.params,
            {metric: points(run, metric) for metric in run.data.metrics},
        )
        for name, run in runs().items()
    }


def train(project, *, study="tiny", name="hallway_sql", steps=STEPS, status="FINISHED"):
    """Log a live run as the training stage would."""
    described = read_json(project / "results/runs/scratch" / name / "run.json")
    live = LiveRun.open(
        study=study,
        stage="scratch",
        run=name,
        key=described["key"],
        children=["seed 0", "seed 1"],
        params=described,
    )
    for step in steps:
        for seed in (0, 1):
            live.log(f"seed {seed}", step, {"train/return": step / 2 + seed})
    live.close(status)
