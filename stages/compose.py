"""Train a sampler for two soft Q-functions together, without any new experience.

Command: `python -m stages.compose COMPOSITION`
Reads `params.yaml`, `results/runs/explore/FIRST`, `results/runs/explore/SECOND`.
Writes `results/runs/compose/COMPOSITION`.
"""

from pipeline.study.command import chosen_run, command
from pipeline.study.store.layout import composition_folder
from pipeline.study.machine.threads import use_threads


def main() -> None:
    """Make the composition that the command line names."""
    with command() as study:
        name = chosen_run("compose", study.compose.runs)
        use_threads(study.execution.threads)
        from pipeline.study.answers.compositions import write_composition

        write_composition(study, name, composition_folder(name))


if __name__ == "__main__":
    main()
