"""The smoke study, as it is written."""

from pathlib import Path

from pipeline.study.store.files import read_yaml

ROOT = Path(__file__).parents[3]
VALID = ROOT / "studies" / "smoke.yaml"
TEXT = VALID.read_text()
DATA = read_yaml(VALID)
