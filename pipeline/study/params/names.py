"""What things in `params.yaml` may be called."""

from typing import Annotated

from pydantic import Field

Name = Annotated[str, Field(pattern="^[a-z0-9_]+$")]
"""Part of names of stages, folders and metrics."""
