"""What may be written in `params.yaml`, and what is answered to every mistake in it."""

from pipeline.study.params.exact import (
    ComposedRun,
    OracleSettings,
    Theorems,
)
from pipeline.study.params.load import load_study
from pipeline.study.params.study import (
    STAGES,
    Budget,
    Execution,
    LogUniform,
    Range,
    RunSettings,
    StageName,
    Study,
    SweepRun,
    Uniform,
)
from pipeline.study.params.yaml_lines import ParamsError

__all__ = [
    "STAGES",
    "Budget",
    "ComposedRun",
    "Execution",
    "LogUniform",
    "OracleSettings",
    "ParamsError",
    "Range",
    "RunSettings",
    "StageName",
    "Study",
    "SweepRun",
    "Theorems",
    "Uniform",
    "load_study",
]
