"""Read `params.yaml` and refuse it with every mistake in it at once.

A mistake is answered with file, line, what was found, what is allowed, and the nearest
valid name. This module imports no torch.
"""

import json
from pathlib import Path
from typing import Any

from pydantic import ValidationError

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
    study = _parsed(document.data)
    if isinstance(study, ValidationError):
        mistakes = mistakes_of(study, Study, document)
        sound = _parsed(sound_part(document.data, [place for place, _ in mistakes]))
        found = [mistake for _, mistake in mistakes]
        if isinstance(sound, Study):
            found += mistakes_between_parts(sound, document)
        raise ParamsError(path, found)
    if found := list(mistakes_between_parts(study, document)):
        raise ParamsError(path, found)
    return study


def _parsed(data: Any) -> Study | ValidationError:
    """JSON, because strict pydantic takes a list for a tuple only from there."""
    try:
        return Study.model_validate_json(json.dumps(data))
    except ValidationError as error:
        return error
