"""Train a sampler for two soft Q-functions together, without any new experience.

Command: `python -m stages.compose COMPOSITION`
Reads `results/check/compose/COMPOSITION.json`, `results/runs/explore/FIRST`,
`results/runs/explore/SECOND`.
Writes `results/runs/compose/COMPOSITION`.
"""

from pipeline.study.command import command, described
from pipeline.study.machine.threads import use_threads
from pipeline.study.store.layout import composition_folder


def main() -> None:
    """Make the composition that the command line names."""
    with command("compose"):
        said = described("compose")
        use_threads(said["threads"])
        from pipeline.study.answers.compositions import write_composition

        write_composition(said, composition_folder(said["run"]))


if __name__ == "__main__":
    main()
