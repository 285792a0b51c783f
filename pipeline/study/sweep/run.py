"""Search an algorithm's settings, and write what was found."""

from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

from pipeline.study.backends.backend import backend, check_backend
from pipeline.study.backends.worker import Work
from pipeline.study.errors import UserError
from pipeline.study.machine.needs import check_needs, needs_of
from pipeline.study.params.space import largest
from pipeline.study.store import layout
from pipeline.study.store.files import write_json, write_yaml
from pipeline.study.sweep.plan import SweepPlan
from pipeline.study.sweep.search import FinishedTrials, Search, on_fresh_seeds
from pipeline.study.sweep.storage import Storage
from pipeline.study.sweep.trials import (
    Fresh,
    Trial,
    best,
    worth,
    write_fresh,
    write_trials,
)
from pipeline.study.sweep.watcher import Watcher
from pipeline.study.sweep.work import train_trials
from pipeline.study.tracking.live import tracked
from pipeline.study.training.progress import Progress
from pipeline.study.training.work_folder import claimed, whole_folder


def run_sweep(
    said: Mapping[str, Any], study: str, *, work: Work = train_trials
) -> None:
    """Search from where the search was left, and write the best and all trials.

    `said` is the description of the sweep; `work` is done with each job.

    Raises:
        UserError: This machine cannot compute as the study asks or has no room for it,
            Optuna's storage cannot be used, every trial failed, or the training did.
    """
    plan = SweepPlan(said)
    with claimed(layout.instance("sweep", plan.name), plan.trials_key) as folder:
        if said["trials"]:
            check_backend(plan.execution)
            needs = needs_of(said, largest(plan.algorithm, plan.space))
            check_needs(needs, folder)
            tried, fresh = _search(plan, study, folder, work, needs.of_job)
            _write(plan, tried, fresh)
        else:
            _write(plan, [], {})


def _search(
    plan: SweepPlan, study: str, folder: Path, work: Work, memory: int
) -> tuple[list[Trial], Fresh]:
    """Compute the trials that are not over, and show how far they are."""
    said, name = plan.said, plan.name
    members = said["trials"] * len(plan.seeds) + len(said["fresh_seeds"])
    files = FinishedTrials(folder)
    search = Search(plan, files)
    with (
        closing(Storage(study, plan)) as storage,
        tracked(
            study=study,
            stage="sweep",
            run=name,
            key=plan.key,
            children=[],
            params=plan.described(),
        ) as live,
        Progress(
            layout.instance("sweep", name),
            members=members,
            steps=said["steps"],
            score=f"best {plan.task.objective}",
        ) as progress,
        backend(plan.execution, work=work, memory=memory) as workers,
    ):
        watcher = Watcher(plan, search, live, progress)
        for trial in search.compute(workers, watcher.told):
            watcher.over(trial)
            storage.show(search.over)
        tried = [search.over[number] for number in range(said["trials"])]
        if (found := best(tried)) is None:
            why = watcher.why or "search smaller learning rates or other temperatures"
            raise UserError(
                f"sweep@{name}: no trial has a finite {plan.task.objective}; {why}"
            )
        fresh = on_fresh_seeds(plan, found, files, workers, watcher.told_fresh)
        watcher.won(found, fresh)
    return tried, fresh


def _write(plan: SweepPlan, tried: list[Trial], fresh: Fresh) -> None:
    """Write `best.yaml`, which training depends on, and beside it all trials."""
    found, chosen = best(tried), plan.algorithm
    kept = {"key": plan.key, **plan.described()}
    target = layout.best_file(plan.name)
    with whole_folder(target.parent / "trials") as output:
        if found is not None:
            chosen = plan.configured(found.params)
            kept["best"] = worth(found, fresh, plan.said["statistic"])
            write_trials(output, tried, plan.space, plan.seeds)
            write_fresh(output, fresh)
        write_json(output / layout.DESCRIBED, kept, sort=False)
    write_yaml(target, {"kind": chosen.kind} | chosen.model_dump(mode="json"))
