"""Tables of what was set, and of what papers claim."""

from collections.abc import Mapping, Sequence
from typing import Any

from pipeline.core.config.values import Value
from pipeline.core.tasks.navigation.settings import Navigation
from pipeline.core.tasks.navigation.world import World
from pipeline.core.tasks.settings import Task
from pipeline.study.report.section import Context
from pipeline.study.report.table import MISSING, Table, of_named_cells
from pipeline.study.statistics.numbers import number
from pipeline.study.store.files import read_yaml
from pipeline.study.store.layout import best_file, instance, readable
from pipeline.study.store.nested import leaves
from pipeline.study.store.runs import Run


def settings(context: Context) -> dict[str, Table]:
    """Every table of settings, by its title."""
    study = context.study
    chosen = {name: _chosen(name) for name in study.sweep.runs}
    tasks = {name: _task(task, study.worlds) for name, task in study.tasks.items()}
    worlds = {"Worlds": beside("worlds", study.worlds)} if study.worlds else {}
    return {
        "Runs": trainings(context.runs),
        "Tasks": beside("tasks", tasks),
        **worlds,
        "Algorithms, as trained": beside("algorithms", chosen),
    }


def _task(task: Task, worlds: Mapping[str, World]) -> Any:
    """A task with the name of its world, or the names of worlds that are alike."""
    named = [
        name
        for name, world in worlds.items()
        if isinstance(task, Navigation) and task.world == world
    ]
    return _plain(task) | ({"world": " = ".join(named)} if named else {})


def _chosen(algorithm: str) -> Any:
    """The algorithm as training used it: `best.yaml` of its sweep."""
    path = best_file(algorithm)
    with readable(path, instance("sweep", algorithm)):
        return read_yaml(path)


def beside(name: str, things: Mapping[str, Any]) -> Table:
    """Settings of several things, one column each, one row per dotted name."""
    columns = {
        thing: {path: _text(leaf) for path, leaf in leaves(_plain(value), ".")}
        for thing, value in things.items()
    }
    names = dict.fromkeys(key for column in columns.values() for key in column)
    rows = [[key, *(c.get(key, MISSING) for c in columns.values())] for key in names]
    return Table(name, ["setting", *columns], rows)


def _plain(value: Any) -> Any:
    return value.model_dump(mode="json") if isinstance(value, Value) else value


def _text(leaf: Any) -> str:
    """A setting as it is shown."""
    if isinstance(leaf, float):
        return f"{leaf:.4g}"
    if isinstance(leaf, list):
        return ", ".join(_item(item) for item in leaf)
    return MISSING if leaf is None else str(leaf)


def _item(item: Any) -> str:
    """One of a list; a box is `[0, 0] to [1, 1]`."""
    return " to ".join(map(str, item.values())) if isinstance(item, dict) else str(item)


def trainings(runs: Sequence[Run]) -> Table:
    """What was trained, a row for each run."""
    rows = [
        {
            "run": run.id,
            "algorithm": run.algorithm_name,
            "task": run.task_name,
            "α": _text(run.temperature),
            "steps": number(run.steps, 0),
            "seeds": _text(list(run.seeds)),
            "start": "fresh" if run.start is None else f"pretrain/{run.start}",
        }
        for run in runs
    ]
    return of_named_cells("runs", rows)


def claimed(claims: Sequence[Mapping[str, Any]]) -> Table:
    """The claims and their verdicts, from `claims.json`."""
    rows = [
        [
            f"{claim['statement']}\n{claim['source']}",
            claim["published"]["text"],
            f"{claim['measured']}\n{_judged(claim)}",
            claim["rule"],
            "\n".join(filter(None, (claim["verdict"], claim["to_decide"]))),
        ]
        for claim in claims
    ]
    columns = ["claim", "published", "measured", "rule", "verdict"]
    return Table("claims", columns, rows, ends_in_verdict=True)


def _judged(claim: Mapping[str, Any]) -> str:
    """`explore/sql against explore/ddpg; 60 seeds`, of each or `60 and 30`."""
    runs = " against ".join(claim["runs"])
    seeds = " and ".join(map(str, dict.fromkeys(claim["seeds"])))
    return f"{runs}; {seeds} seeds" if seeds else runs
