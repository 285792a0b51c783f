import math
import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.study.store.files import (
    atomic_write,
    read_csv,
    read_json,
    read_table,
    read_yaml,
    remove_unfinished,
    run_key,
    write_csv,
    write_json,
    write_yaml,
)

json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs"))),
    lambda values: (
        st.lists(values, max_size=4)
        | st.dictionaries(st.text("abcde_", min_size=1), values, max_size=4)
    ),
    max_leaves=12,
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("files")


class TestAtomicWrite:
    def test_a_failed_write_leaves_the_old_content_and_nothing_else(
        self, tmp_path, monkeypatch
    ):
        path = tmp_path / "kept.txt"
        atomic_write(path, b"old")

        def fail(descriptor: int) -> None:
            raise OSError("no space left")

        monkeypatch.setattr(os, "fsync", fail)
        with pytest.raises(OSError, match="no space"):
            atomic_write(path, b"new")
        assert path.read_bytes() == b"old"
        assert list(tmp_path.iterdir()) == [path]

    def test_what_killed_writers_left_of_a_file_can_be_removed(self, tmp_path):
        for name in (".0.json.77.tmp", "0.json", ".1.json.77.tmp"):
            (tmp_path / name).touch()
        remove_unfinished(tmp_path / "0.json")
        left = sorted(path.name for path in tmp_path.iterdir())
        assert left == [".1.json.77.tmp", "0.json"]

    def test_missing_folders_are_made(self, tmp_path):
        atomic_write(tmp_path / "a" / "b", b"x")
        assert (tmp_path / "a" / "b").read_bytes() == b"x"

    def test_others_may_read_what_the_umask_lets_them(self, tmp_path):
        atomic_write(tmp_path / "file", b"x")
        (tmp_path / "usual").write_bytes(b"x")
        modes = {path.stat().st_mode for path in tmp_path.iterdir()}
        assert len(modes) == 1


class TestJson:
    @given(json_values)
    def test_what_is_written_is_read(self, folder, value):
        write_json(folder / "value.json", value)
        assert read_json(folder / "value.json") == value

    def test_the_order_of_keys_does_not_matter(self, tmp_path):
        write_json(tmp_path / "one", {"a": 1, "b": [2]})
        write_json(tmp_path / "two", {"b": [2], "a": 1})
        assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()

    def test_numbers_that_json_has_no_word_for_are_refused(self, tmp_path):
        with pytest.raises(ValueError, match="not JSON compliant"):
            write_json(tmp_path / "value.json", {"a": math.nan})
        assert list(tmp_path.iterdir()) == []


class TestYaml:
    @given(json_values)
    def test_what_is_written_is_read(self, folder, value):
        write_yaml(folder / "value.yaml", value)
        assert read_yaml(folder / "value.yaml") == value

    def test_numbers_are_those_of_yaml_1_2(self, tmp_path):
        (tmp_path / "numbers.yaml").write_text("{rate: 1e-4, word: no}")
        assert read_yaml(tmp_path / "numbers.yaml") == {"rate": 1e-4, "word": "no"}


class TestCsv:
    @given(st.lists(st.tuples(st.integers(0, 10**6), st.floats()), max_size=5))
    def test_numbers_read_back_as_the_same_numbers(self, folder, rows):
        path = folder / "table.csv"
        write_csv(path, ["step", "value"], rows)
        table = read_table(path)
        np.testing.assert_array_equal(table["step"], [row[0] for row in rows])
        np.testing.assert_array_equal(table["value"], [row[1] for row in rows])

    def test_numbers_of_numpy_are_written_like_those_of_python(self, tmp_path):
        columns = ["a", "b", "c"]
        write_csv(tmp_path / "one", columns, [[np.float64(0.1), np.int64(2), "x"]])
        write_csv(tmp_path / "two", columns, [[0.1, 2, "x"]])
        assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()
        assert (tmp_path / "two").read_text() == "a,b,c\n0.1,2,x\n"

    def test_what_was_not_measured_is_an_empty_cell(self, tmp_path):
        write_csv(tmp_path / "table", ["a", "b"], [[None, math.nan]])
        assert read_csv(tmp_path / "table") == [{"a": "", "b": ""}]
        assert math.isnan(read_table(tmp_path / "table")["a"][0])

    def test_a_row_of_another_length_is_refused(self, tmp_path):
        with pytest.raises(ValueError, match="1 values for 2 columns"):
            write_csv(tmp_path / "table", ["a", "b"], [[1]])

    def test_a_table_without_rows_keeps_its_columns(self, tmp_path):
        write_csv(tmp_path / "table", ["a"], [])
        assert read_table(tmp_path / "table")["a"].shape == (0,)


class TestRunKey:
    @pytest.fixture
    def dep(self, tmp_path) -> Path:
        (tmp_path / "core" / "deep").mkdir(parents=True)
        (tmp_path / "core" / "a.py").write_text("a")
        (tmp_path / "core" / "deep" / "b.py").write_text("b")
        return tmp_path / "core"

    def test_the_key_is_32_hexadecimal_digits(self, dep):
        key = run_key("explore", "sql", {}, [dep])
        assert len(key) == 32
        assert int(key, 16) >= 0

    def test_everything_given_counts(self, dep):
        keys = [
            run_key("explore", "sql", {"a": 1}, [dep]),
            run_key("scratch", "sql", {"a": 1}, [dep]),
            run_key("explore", "sac", {"a": 1}, [dep]),
            run_key("explore", "sql", {"a": 2}, [dep]),
            run_key("explore", "sql", {"a": 1}, [dep / "a.py"]),
        ]
        (dep / "a.py").write_text("changed")
        keys.append(run_key("explore", "sql", {"a": 1}, [dep]))
        (dep / "a.py").rename(dep / "c.py")
        keys.append(run_key("explore", "sql", {"a": 1}, [dep]))
        assert len(set(keys)) == len(keys)

    def test_neither_the_place_nor_compiled_files_nor_the_order_of_keys_count(
        self, dep, tmp_path
    ):
        before = run_key("explore", "sql", {"a": 1, "b": 2}, [dep])
        (dep / "__pycache__").mkdir()
        (dep / "__pycache__" / "a.pyc").write_bytes(b"x")
        moved = dep.rename(tmp_path / "elsewhere")
        moved = moved.rename(tmp_path / "core")
        assert run_key("explore", "sql", {"b": 2, "a": 1}, [moved]) == before

    def test_a_missing_dependency_is_an_error(self, tmp_path):
        with pytest.raises(FileNotFoundError):
            run_key("explore", "sql", {}, [tmp_path / "nothing"])
