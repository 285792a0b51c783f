"""Judge a run of `explore` against exact answers and in tasks not quite its own.

Command: `python -m stages.score RUN`
Reads `results/check/score/RUN.json`, `results/runs/explore/RUN`,
`results/exact/oracles`.
Writes `results/runs/score/RUN`. Nothing is trained.
"""

from pipeline.study.answers.scores import write_score
from pipeline.study.command import command, described
from pipeline.study.machine.threads import use_threads
from pipeline.study.store.layout import score_folder


def main() -> None:
    """Judge the run that the command line names."""
    with command("score"):
        said = described("score")
        use_threads(said["threads"])
        write_score(said, score_folder(said["run"]))


if __name__ == "__main__":
    main()
