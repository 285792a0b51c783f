"""What the machine decides and no number depends on: workers, addresses, folders.

Settings are environment variables that start with `MAXENT_`. Whatever can change a
number is in `params.yaml` instead.
"""

import os
from pathlib import Path
from typing import Final, Literal

from pydantic import PositiveFloat, PositiveInt, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from pipeline.study.errors import UserError, nearest

PREFIX: Final = "MAXENT_"
WORKSPACES: Final = ".studies"
"""Folder of a checkout that holds the workspaces of its other studies."""
CHECKOUT: Final = ".checkout"
"""File of a workspace that says, from there, where its checkout is."""


class Settings(BaseSettings):
    """Machine settings; `MAXENT_WORKERS=4` sets `workers`."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True)

    workers: PositiveInt | None = None
    """Processes that train side by side; as many as there are cores for, if unset."""
    checkpoint_seconds: PositiveFloat = 60.0
    """Seconds of work that an interruption may cost."""
    replay_gib: PositiveFloat = 4.0
    """Gibibytes of a process's replay above which it is in a file, not in memory."""
    backend: Literal["local", "ray"] = "local"
    """What computes: processes of this machine, or a Ray cluster."""
    ray_address: str | None = None
    """Of the cluster, as `10.0.0.5:6379`; `local`: one that starts and ends here."""
    optuna_storage: str | None = None
    """URL of the storage that sweeps are copied to; `optuna.db`, if unset."""
    progress: Literal["auto", "live", "plain", "off"] = "auto"
    """`auto`: a live display on a terminal, plain lines elsewhere."""


def settings() -> Settings:
    """The settings of this process.

    Raises:
        UserError: A variable is misspelt or has an impossible value.
    """
    known = [f"{PREFIX}{name.upper()}" for name in Settings.model_fields]
    for name in os.environ:
        if name.startswith(PREFIX) and name not in known:
            allowed = ", ".join(known)
            raise UserError(
                f"{name}: unknown setting; {nearest(name, known)}allowed: {allowed}"
            )
    try:
        return Settings()
    except ValidationError as error:
        first = error.errors()[0]
        name = f"{PREFIX}{str(first['loc'][0]).upper()}"
        found = os.environ.get(name)
        raise UserError(f"{name}={found}: {first['msg'].lower()}") from None


def store_root() -> Path:
    """The checkout whose MLflow store this process writes to.

    An experiment that DVC runs in a temporary folder, and a study in a workspace of
    its own, belong to the checkout that they were started from.

    Raises:
        UserError: The checkout of this workspace is not there any more.
    """
    root = Path(os.environ.get("DVC_ROOT") or Path.cwd()).resolve()
    note = root / CHECKOUT
    if not note.exists():
        return root
    checkout = (root / note.read_text().strip()).resolve()
    if not checkout.is_dir():
        raise UserError(
            f"{checkout}, the checkout of this workspace, is not there any more: "
            f"where it is now, type `make study STUDY={root.name}`"
        )
    return checkout


def compiled_graphs() -> Path:
    """Folder of compiled updates, so that the next stage does not compile them again.

    Whoever can write there can run programs here: it is this checkout's own.
    """
    return store_root() / ".compiled"
