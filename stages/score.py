"""Judge a run of `explore` against exact answers and in tasks not quite its own.

Command: `python -m stages.score RUN`
Reads `params.yaml`, `results/runs/explore/RUN`, `results/exact/oracles`.
Writes `results/runs/score/RUN`. Nothing is trained.
"""

from pipeline.study.command import chosen_run, command
from pipeline.study.answers.scores import write_score
from pipeline.study.store.layout import score_folder
from pipeline.study.machine.threads import use_threads


def main() -> None:
    """Judge the run that the command line names."""
    with command() as study:
        name = chosen_run("score", study.explore.runs)
        use_threads(study.execution.threads)
        write_score(study, name, score_folder(name))


if __name__ == "__main__":
    main()
