import gc
import multiprocessing
import sqlite3
from contextlib import closing
from pathlib import Path

import optuna
import pytest

from pipeline.study.errors import UserError
from pipeline.study.store.fingerprint import write_fingerprints
from pipeline.study.sweep.plan import SweepPlan
from pipeline.study.sweep.storage import Storage
from pipeline.study.sweep.trials import Trial
from tests.servers import postgres_server
from tests.study.sweep.over import over, plan, trial

FILE = Path("optuna.db")


@pytest.fixture(autouse=True)
def checkout(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("DVC_ROOT", "MAXENT_OPTUNA_STORAGE"):
        monkeypatch.delenv(name, raising=False)
    write_fingerprints(["sweep"])
    return tmp_path


def shown(url: str = f"sqlite:///{FILE}") -> optuna.Study:
    """The only study that is there."""
    (name,) = optuna.get_all_study_names(url)
    return optuna.load_study(study_name=name, storage=url)


def copy(trials: dict[int, Trial], of: SweepPlan | None = None) -> None:
    """Copy trials of a sweep, and wait until they are there."""
    with closing(Storage("small", of or plan())) as storage:
        storage.show(trials)


class TestStorage:
    def test_has_the_trials_that_are_over_under_their_numbers(self):
        trials = over(6)
        late = trials.pop(4)
        copy(trials)
        assert [each.number for each in shown().trials] == [0, 1, 2, 3]
        copy({**trials, 4: late})
        study = shown()
        for number, each in enumerate(study.trials):
            ours = trial(number)
            assert (each.number, each.state.name) == (number, ours.state)
            assert (each.value, each.params) == (ours.value, ours.params)
            assert each.intermediate_values == ours.statistics
            assert each.user_attrs.get("reason", "") == ours.reason
        assert study.best_trial.number == 4

    def test_says_what_the_search_is(self):
        Storage("small", plan())
        study = shown()
        assert study.study_name.startswith("small sweep@sql ")
        assert study.user_attrs == {
            "algorithm": "sql",
            "task": "multigoal",
            "objective": "return",
            "steps": 5,
            "seeds": [100, 101],
            "key": plan().trials_key,
        }

    @pytest.mark.slow
    @pytest.mark.filterwarnings("ignore::optuna.exceptions.ExperimentalWarning")
    def test_is_enough_for_optunas_own_pictures_of_it(self):
        copy(over(12))
        assert shown().user_attrs["algorithm"] == "sql"
        importance = optuna.importance.get_param_importances(shown())
        assert importance.keys() == {"hidden", "temperature.fixed"}

    def test_has_nothing_twice_after_a_sweep_that_grows_or_starts_again(self):
        first = Storage("small", plan())
        first.show(over(3))
        copy(over(5), plan(sweep__budgets__multigoal__trials=8))
        first.show(over(4))
        first.show(over(6))
        first.close()
        numbers = [each.user_attrs["trial"] for each in shown().trials]
        assert numbers == [0, 1, 2, 3, 4, 5]

    def test_another_space_is_another_study(self):
        Storage("small", plan())
        Storage("small", plan(sweep__search__seed=2))
        assert len(optuna.get_all_study_names(f"sqlite:///{FILE}")) == 2

    @pytest.mark.slow
    def test_processes_that_copy_one_sweep_at_the_same_time_add_nothing_twice(self):
        together(2)
        assert [each.number for each in shown().trials] == list(range(10))
        check(shown())

    def test_an_address_is_one_in_the_checkout(self, checkout, monkeypatch):
        (checkout / "elsewhere").mkdir()
        monkeypatch.setenv("DVC_ROOT", str(checkout))
        monkeypatch.setenv("MAXENT_OPTUNA_STORAGE", "sqlite:///team.db")
        monkeypatch.chdir(checkout / "elsewhere")
        write_fingerprints(["sweep"])
        Storage("small", plan())
        assert (checkout / "team.db").exists()


def check(study: optuna.Study) -> None:
    for number, each in enumerate(study.trials):
        assert each.user_attrs["trial"] == number


def together(count: int) -> None:
    """Several processes that open one storage for the first time, and copy a sweep."""
    context = multiprocessing.get_context("spawn")
    processes = [context.Process(target=copy_sweep) for _ in range(count)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
        assert process.exitcode == 0


def copy_sweep() -> None:
    storage = Storage("small", plan())
    for count in range(11):
        storage.show(over(count))
    storage.close()
    assert not storage._failed


class TestRefusal:
    def refusal(self) -> str:
        with pytest.raises(UserError) as caught:
            Storage("small", plan())
        message = str(caught.value)
        assert "\n" not in message
        return message

    @pytest.mark.parametrize(
        ("address", "why"),
        [
            ("mysql+nothing://ann:secret@host/db", "Can't load plugin"),
            ("mysql+pymysql://ann:secret@host/db", "No module named 'pymysql'"),
            ("secret", "Could not parse SQLAlchemy URL"),
            ("sqlite:////etc/passwd/optuna.db", "cannot be used"),
        ],
    )
    def test_what_cannot_be_reached_is_one_line_without_password(
        self, monkeypatch, address, why
    ):
        monkeypatch.setenv("MAXENT_OPTUNA_STORAGE", address)
        message = self.refusal()
        assert why in message
        assert "ann:" not in message
        assert ":secret" not in message

    def test_a_damaged_file_is_to_be_moved_away(self):
        FILE.write_bytes(b"no database at all" * 99)
        assert "if optuna.db is damaged, move it away: it is made" in self.refusal()
        assert FILE.read_bytes() == b"no database at all" * 99

    def test_a_database_of_another_program_is_left_alone(self):
        with sqlite3.connect(FILE) as database:
            database.execute("CREATE TABLE experiments (id INTEGER)")
        before = FILE.read_bytes()
        message = self.refusal()
        assert "belongs to another program (it has a table 'experiments')" in message
        assert "give MAXENT_OPTUNA_STORAGE a database of its own" in message
        assert FILE.read_bytes() == before

    @pytest.mark.parametrize("direction", ["maximize", "minimize"])
    def test_a_study_of_somebody_else_is_left_alone(self, direction):
        Storage("small", plan())
        name = shown().study_name
        optuna.delete_study(study_name=name, storage=f"sqlite:///{FILE}")
        theirs = optuna.create_study(
            study_name=name, storage=f"sqlite:///{FILE}", direction=direction
        )
        theirs.add_trial(optuna.trial.create_trial(value=1.0))
        message = self.refusal()
        assert f"has a study '{name}' that is not a copy of this sweep" in message
        assert f"optuna delete-study --study-name '{name}' --storage ADD" in message
        assert (len(shown().trials), shown().user_attrs) == (1, {})

    def test_a_copy_to_which_others_have_added_is_refused(self):
        copy(over(2))
        shown().add_trial(optuna.trial.create_trial(value=1.0, params={}))
        assert "that is not a copy of this sweep" in self.refusal()

    def test_a_storage_that_is_lost_costs_one_warning(self, capsys):
        copy(over(2))
        kept = FILE.read_bytes()
        storage = Storage("small", plan())
        FILE.write_bytes(b"no database at all" * 99)
        storage.show(over(3))
        storage.show(over(4))
        storage.close()
        warning = capsys.readouterr().err
        assert warning.count("\n") == 1
        assert warning.startswith("warning: sqlite:///")
        assert "is not kept up: file is not a database; the sweep goes on" in warning
        FILE.write_bytes(kept)
        copy(over(5))
        check(shown())
        assert len(shown().trials) == 5


@pytest.fixture
def postgres(monkeypatch):
    """A PostgreSQL server to which sweeps are copied."""
    with postgres_server() as server:
        monkeypatch.setenv("MAXENT_OPTUNA_STORAGE", server.url())
        yield server
    gc.collect()  # connections that the server has closed


def wait_for_writes(storage: Storage) -> None:
    storage._writer.submit(lambda: None).result()


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
class TestAServer:
    def test_of_a_team_has_its_copies(self, postgres, capsys):
        together(2)
        assert len(shown(postgres.url()).trials) == 10
        check(shown(postgres.url()))
        assert not FILE.exists()
        storage = Storage("small", plan())
        postgres.stop()
        storage.show(over(11))
        storage.show(over(12))
        storage.close()
        with pytest.raises(UserError, match="look at the server and at MAXENT_OPTUNA_"):
            Storage("small", plan())
        warning = capsys.readouterr().err
        assert warning.count("\n") == 1
        assert "is not kept up: " in warning
        assert "secret" not in warning

    def test_that_was_away_for_a_while_has_everything_in_the_end(
        self, postgres, capsys
    ):
        storage = Storage("small", plan())
        storage.show(over(4))
        wait_for_writes(storage)
        postgres.stop()
        postgres.start()
        storage.show(over(6))
        wait_for_writes(storage)
        assert len(shown(postgres.url()).trials) == 6
        assert capsys.readouterr().err == ""
        postgres.stop()
        storage.show(over(8))
        wait_for_writes(storage)
        assert "is not kept up: " in capsys.readouterr().err
        postgres.start()
        storage.close()
        assert len(shown(postgres.url()).trials) == 8
        check(shown(postgres.url()))
        assert capsys.readouterr().err == ""
