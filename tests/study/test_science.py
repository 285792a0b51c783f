"""What training depends on is known, and what it does not depend on is not imported."""

import ast

from pipeline.study.science import AFTER_TRAINING, CORE, LEARNING, learning_digests


def modules_imported(path):
    """Names of the modules of the core that a file imports anywhere."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def test_no_training_imports_what_it_does_not_depend_on():
    after = {f"pipeline.core.{name.removesuffix('.py')}" for name in AFTER_TRAINING}
    for part in LEARNING:
        for path in part.rglob("*.py") if part.is_dir() else [part]:
            for module in modules_imported(path):
                shared = [name for name in after if f"{module}.".startswith(f"{name}.")]
                assert not shared, f"{path} imports {module}"


def test_everything_else_counts_as_training():
    listed = {line.split("  ")[1] for line in learning_digests().decode().splitlines()}
    everything = {path.relative_to(CORE).as_posix() for path in CORE.rglob("*.py")}
    assert listed == {
        name for name in everything if name.split("/")[0] not in AFTER_TRAINING
    }
    assert {"training.py", "agents/sql.py", "tasks/multigoal.py"} <= listed


def test_what_is_left_out_is_there():
    assert all((CORE / name).exists() for name in AFTER_TRAINING)
