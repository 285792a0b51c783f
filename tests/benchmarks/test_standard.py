from pathlib import Path

import pytest

from benchmarks import standard
from benchmarks.standard import CONTESTS, Contest
from pipeline.study.params.load import load_study
from pipeline.study.store.files import read_table, write_csv

PENDULUM = CONTESTS["pendulum"]


@pytest.fixture
def results(tmp_path, monkeypatch):
    monkeypatch.setattr(standard, "RESULTS", tmp_path)
    return tmp_path


def table(side, kind):
    columns = read_table(standard.file("pendulum", side, kind))
    return dict(zip(columns["seed"], columns["return"], strict=True))


@pytest.mark.usefixtures("results")
def test_seeds_that_were_trained_before_it_was_stopped_are_kept(monkeypatch):
    asked = []

    def stopped(contest, kind, seed):
        asked.append(seed)
        if asked.count(2) == 1 and seed == 2:
            raise KeyboardInterrupt
        return 10.0 * len(asked)

    monkeypatch.setattr(standard, "train_sb3", stopped)
    with pytest.raises(KeyboardInterrupt):
        standard.train("pendulum", "sb3", "sac")
    assert table("sb3", "sac") == {0: 10.0, 1: 20.0}
    standard.train("pendulum", "sb3", "sac")
    assert asked == [0, 1, 2, 2, 3, 4]
    assert table("sb3", "sac") == {0: 10.0, 1: 20.0, 2: 40.0, 3: 50.0, 4: 60.0}


@pytest.mark.usefixtures("results")
def test_a_table_with_every_seed_is_made_anew(monkeypatch):
    monkeypatch.setattr(standard, "train_ours", lambda _, kind, seeds: [1.0] * 5)
    standard.train("pendulum", "ours", "sac")
    monkeypatch.setattr(standard, "train_ours", lambda _, kind, seeds: [2.0] * 5)
    standard.train("pendulum", "ours", "sac")
    assert table("ours", "sac") == dict.fromkeys(PENDULUM.seeds, 2.0)


@pytest.mark.usefixtures("unchecked")
def test_a_member_is_judged_by_its_own_policy_from_equal_starts():
    contest = Contest("Pendulum-v1", steps=20, batch=8, seeds=(), episodes=1)
    both = standard.train_ours(contest, "ddpg", (300, 301))
    alone = standard.train_ours(contest, "ddpg", (301,))
    assert both[1] == pytest.approx(alone[0], rel=1e-3)
    assert both[0] != pytest.approx(alone[0], rel=1e-3)


def test_both_sides_and_their_difference_stand_in_a_row_with_intervals():
    # In 5 % of resamples the middle two of four are both 1, in 5 % both 9.
    row = standard.row("pendulum", "sac", [5.0, 5.0, 5.0, 5.0], [1.0, 2.0, 3.0, 9.0])
    assert row == [
        "Pendulum-v1",
        "SAC",
        "5.0 [5.0, 5.0]",
        "2.5 [1.0, 9.0]",
        "+2.5 [-4.0, +4.0]",
        "5.0, 5.0, 5.0, 5.0",
        "1.0, 2.0, 3.0, 9.0",
    ]


def test_what_is_not_trained_on_every_seed_is_not_compared(results, capsys):
    for kind in ("sac", "ddpg"):
        for side in ("ours", "sb3"):
            seeds = PENDULUM.seeds[: 2 if (side, kind) == ("sb3", "ddpg") else None]
            rows = [[seed, -140.0] for seed in seeds]
            write_csv(standard.file("pendulum", side, kind), ["seed", "return"], rows)
    standard.compare()
    printed = capsys.readouterr()
    assert "| Pendulum-v1 | SAC | -140.0 [-140.0, -140.0] |" in printed.out
    assert "DDPG" not in printed.out
    said = "pendulum ddpg: 5 seeds of ours, 2 of theirs, for 5 each"
    assert said in printed.err


class TestSoftQLearning:
    """It has no peer in stable-baselines3, and a study has trained it already."""

    def test_its_study_is_the_same_contest(self):
        contest = CONTESTS["half_cheetah"]
        study = load_study(Path("studies/locomotion.yaml"))
        run = study.explore.runs["half_cheetah_sql"]
        algorithm, task = study.algorithms[run.algorithm], study.tasks[run.task]
        assert task.id == contest.environment
        assert task.discount == standard.DISCOUNT
        assert task.evaluation.policy == "greedy"
        assert task.evaluation.final_episodes == contest.episodes
        assert (run.steps, algorithm.batch) == (contest.steps, contest.batch)
        assert study.study.seeds[: run.seeds] == contest.seeds
        assert algorithm.hidden == (standard.WIDTH, standard.WIDTH)
        assert algorithm.learning_rate.q == standard.RATE
        assert algorithm.learning_rate.constant == 1.0
        assert algorithm.warmup == standard.WARMUP
        assert algorithm.updates_per_step == 1
        assert algorithm.target.tau == standard.TAU

    def test_its_returns_stand_beside_their_sac(self, results, monkeypatch, capsys):
        monkeypatch.setattr(standard, "STUDY", results)
        place = results / "results/runs/explore/half_cheetah_sql"
        place.mkdir(parents=True)
        rows = [[seed, 1000.0, 5000.0] for seed in range(4)]
        write_csv(place / "final.csv", ["seed", "episode_length", "return"], rows)
        standard.main(["half_cheetah", "ours", "sql"])
        theirs = [[seed, 3000.0] for seed in range(4)]
        path = standard.file("half_cheetah", "sb3", "sac")
        write_csv(path, ["seed", "return"], theirs)
        standard.compare()
        row = "| HalfCheetah-v5 | SQL beside SAC | 5000.0 [5000.0, 5000.0] | 3000.0 "
        assert row in capsys.readouterr().out

    @pytest.mark.usefixtures("results")
    def test_without_the_study_it_says_how_to_compute_it(self, tmp_path, monkeypatch):
        monkeypatch.setattr(standard, "STUDY", tmp_path)
        with pytest.raises(SystemExit, match="make study STUDY=locomotion"):
            standard.main(["half_cheetah", "ours", "sql"])


def test_another_environment_is_answered_by_how_it_is_used():
    with pytest.raises(SystemExit, match="half_cheetah sb3 sac"):
        standard.main(["walker", "sb3", "sac"])
