"""Which part of the science a training depends on, by its content.

`pipeline/core` also has what judges policies after their training: exact answers and
what is done with them. A change of those must not train anything again. DVC knows a
folder or a file but not "all but these", so the stage `check` writes down what training
depends on, and training depends on that list.
"""

import hashlib
from pathlib import Path
from typing import Final

import pipeline.core

CORE: Final = Path(pipeline.core.__path__[0])

AFTER_TRAINING: Final = frozenset(
    {
        "composition", "exact",
    }
)
"""What no training imports. Whatever is not named here counts as part of training."""

LEARNING: Final = tuple(
    sorted(
        part
        for part in CORE.iterdir()
        if part.name not in AFTER_TRAINING and part.name != "__pycache__"
    )
)
"""Files and folders by whose content a training is named."""


def learning_digests() -> bytes:
    """One line for each file that training depends on: SHA-256 and path."""
    files = sorted(
        file
        for part in LEARNING
        for file in (part.rglob("*.py") if part.is_dir() else [part])
    )
    return "".join(
        f"{hashlib.sha256(file.read_bytes()).hexdigest()}  "
        f"{file.relative_to(CORE).as_posix()}\n"
        for file in files
    ).encode()
