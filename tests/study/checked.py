"""What the stage `check` leaves for the others, without starting it."""

from pathlib import Path
from typing import Any

from pipeline.study.params.descriptions import descriptions, write_descriptions
from pipeline.study.params.study import Study
from pipeline.study.store.fingerprint import ROOT, write_fingerprints

STAGES = sorted(path.stem for path in (ROOT / "stages").glob("[!_]*.py"))


def check(study: Study, root: Path = Path()) -> Study:
    """Describe a study whose `params.yaml` is in a folder to its stages."""
    write_descriptions(study, root)
    write_fingerprints(STAGES, root)
    return study


def said(study: Study, stage: str, name: str) -> dict[str, Any]:
    """The description of one stage instance."""
    return dict(descriptions(study))[stage, name]
