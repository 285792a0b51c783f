"""Whose a run is: clones share a server, and none may touch what another has made."""

import hashlib
import secrets
from pathlib import Path
from typing import Final

from pipeline.study.machine.settings import store_root
from pipeline.study.store.files import atomic_write
from pipeline.study.store.locks import held

NOTE: Final = Path(".dvc", "tmp", "checkout")
"""Where DVC keeps what it does not share, either."""
OWNER: Final = "maxent.checkout"
"""Tag of a run that says which checkout made it."""


def owner() -> str:
    """Name of this checkout, which no clone and no copy of it has."""
    note = store_root() / NOTE
    with held(note):
        if not note.exists():
            atomic_write(note, secrets.token_bytes(16))
        random, inode = note.read_bytes(), note.stat().st_ino
    return hashlib.sha256(random + str(inode).encode()).hexdigest()[:16]
