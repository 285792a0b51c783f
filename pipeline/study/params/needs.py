"""Whether this machine has room for every training of a study."""

from pathlib import Path

from pipeline.study.machine.needs import Needs, impossible, needs_of, warn_if_tight
from pipeline.study.params.descriptions import descriptions
from pipeline.study.params.space import largest
from pipeline.study.params.study import Study
from pipeline.study.params.yaml_lines import Document, ParamsError, Place
from pipeline.study.store.layout import STAGES


def check_room(study: Study, checkpoints: Path) -> None:
    """Refuse a study that cannot be trained here, and warn of its tightest training.

    `checkpoints` is the folder of all checkpoints. The study is that of `params.yaml`.

    Raises:
        ParamsError: There is too little disk, or too little memory for replays.
    """
    needed = sorted(all_needs(study), key=lambda each: each.disk)
    refused = {
        needs.algorithm: reason  # of its largest training
        for needs in needed
        if (reason := impossible(needs, checkpoints))
    }
    if refused:
        document = Document(Path("params.yaml"))
        raise ParamsError(
            document.path,
            [
                document.mistake(_written(study, algorithm), reason)
                for algorithm, reason in refused.items()
            ],
        )
    warn_if_tight(max(needed, key=lambda each: each.memory))


def all_needs(study: Study) -> list[Needs]:
    """What each run and each search takes."""
    return [
        needs_of(said, largest(study.algorithms[name], study.searched(name)))
        for (stage, _), said in descriptions(study)
        if stage in STAGES or (stage == "sweep" and said["trials"])
        for name in [said["algorithm_name"]]
    ]


def _written(study: Study, algorithm: str) -> Place:
    """Where the size of its replay is written."""
    if "replay" in study.searched(algorithm):
        return ("sweep", "runs", algorithm, "space", "replay")
    return ("algorithms", algorithm, "replay")
