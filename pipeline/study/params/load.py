"""Read `params.yaml` and refuse it with every mistake in it at once.

A mistake is answered with file, line, what was found, what is allowed, and the nearest
valid name. This module imports no torch.
"""

from pathlib import Path
from typing import Any

from pydantic import ValidationError

from pipeline.core.config.values import parsed
from pipeline.study.params.checks import mistakes_between_parts
from pipeline.study.params.mistakes import mistakes_of
from pipeline.study.params.salvage import sound_part
from pipeline.study.params.study import Study
from pipeline.study.params.yaml_lines import Document, ParamsError


def load_study(path: Path = Path("params.yaml")) -> Study:
    """Read a study and refuse it with every mistake in it.

    Raises:
        ParamsError: The file describes no study.
        UserError: The file cannot be read.
    """
    document = Document(path)
    study = _study(document.data)
    if isinstance(study, ValidationError):
        mistakes = mistakes_of(study, Study, document)
        broken = [place for place, _ in mistakes]
        sound = _study(sound_part(Study, document.data, broken))
        found = [mistake for _, mistake in mistakes]
        if isinstance(sound, Study):
            found += mistakes_between_parts(sound, document)
        raise ParamsError(path, found)
    if found := list(mistakes_between_parts(study, document)):
        raise ParamsError(path, found)
    return study


def _study(data: Any) -> Study | ValidationError:
    try:
        study: Study = parsed(Study, data)
    except ValidationError as error:
        return error
    return study
