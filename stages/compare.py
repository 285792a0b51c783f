"""Statistics over seeds, everything against DDPG: `python -m stages.compare`.

Reads `results/check/study.json`, `results/runs` and `results/exact/theorems`; refuses a
run or a seed that is not the study's.
Writes `results/compare`: `metrics.json`, `claims.json`, `summary/`, `curves/`.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Any, Final

from pipeline.study.answers.results import (
    load_compositions,
    load_hard_limit,
    load_scores,
)
from pipeline.study.claims.base import Evidence
from pipeline.study.claims.judge import judge
from pipeline.study.command import command
from pipeline.study.params.study import whole_study
from pipeline.study.statistics.bootstrap import Bootstrap, Interval
from pipeline.study.statistics.curves import bands, panels
from pipeline.study.statistics.summary import summarise
from pipeline.study.store.files import write_csv, write_json
from pipeline.study.store.layout import COMPARED, panel_name, part_name
from pipeline.study.store.runs import Run
from pipeline.study.training.results import load_runs

BAND: Final = ("run", "step", "iqm", "low", "high")


def main() -> None:
    """Compare all runs of the study."""
    with command("compare"):
        study = whole_study()
        runs = load_runs(study)
        scores, compositions = load_scores(study, runs), load_compositions(study)
        bootstrap = Bootstrap(**study.compare.bootstrap)
        fixed = study.compare.threshold_returns
        metrics = summarise(runs, scores, compositions, bootstrap, fixed=fixed)
        write_json(COMPARED / "metrics.json", metrics)
        evidence = Evidence(
            *(runs, scores, compositions, bootstrap),
            hard_limit=load_hard_limit(study),
            threshold_returns=fixed,
        )
        claims = judge(evidence)
        write_json(COMPARED / "claims.json", [asdict(claim) for claim in claims])
        for run in runs:
            entry = metrics[run.stage][run.name]
            write_json(COMPARED / "summary" / f"{run.id}.json", headline(run, entry))
        write_curves(runs, bootstrap)


def headline(run: Run, entry: dict[str, Any]) -> dict[str, Any]:
    """The few numbers of a run that fit on one line of `dvc metrics show`."""
    score = entry.get(run.task.objective, {})
    return {
        "objective": run.task.objective,
        **{name: score[name] for name in ("iqm", "low", "high") if name in score},
        **({"return": entry["return"]["iqm"]} if "return" in entry else {}),
    }


def write_curves(runs: Sequence[Run], bootstrap: Bootstrap) -> None:
    """One table for every stage, task and metric: `run,step,iqm,low,high`."""
    (COMPARED / "curves").mkdir(parents=True, exist_ok=True)
    for (stage, task), together in panels(runs).items():
        for metric in together[0].task.curves:
            rows = [
                (band.run.label, step, *_drawn(one))
                for band in bands(together, metric, bootstrap)
                for step, one in zip(band.steps, band.intervals, strict=True)
            ]
            if rows:
                name = part_name(panel_name(stage, task), metric)
                write_csv(COMPARED / "curves" / f"{name}.csv", BAND, rows)


def _drawn(one: Interval) -> Iterator[float | None]:
    """What can be drawn of an interval: not its ends that are infinite."""
    for value in (one.estimate, one.low, one.high):
        yield value if math.isfinite(value) else None


if __name__ == "__main__":
    main()
