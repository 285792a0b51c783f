"""What `params.yaml` may say, and how its mistakes are answered."""

import io
import re
import string

import pytest
from ruamel.yaml import YAML

from pipeline.study.errors import UserError
from pipeline.study.params.load import load_study
from pipeline.study.params.study import Study
from pipeline.study.params.yaml_lines import Document, ParamsError
from tests.study.params.smoke import ROOT, TEXT, VALID

CONFLICT = "a:\n<<<<<<< HEAD\n  b: 1\n=======\n  b: 2\n>>>>>>> other\n"


def line_of(text: str, number: int = 1) -> int:
    """Line of an occurrence of a text in the smoke study."""
    lines = [i for i, line in enumerate(TEXT.splitlines(), 1) if text in line]
    return lines[number - 1]


class TestValid:
    @pytest.mark.parametrize(
        "path", [ROOT / "params.yaml", *sorted((ROOT / "studies").glob("*.yaml"))]
    )
    def test_every_study_of_the_project_is_one(self, path):
        assert isinstance(load_study(path), Study)

    def test_numbers_are_those_of_yaml_1_2(self, load):
        assert load(TEXT.replace("q: 1.0e-3", "q: 1e-3")) == load_study(VALID)

    @pytest.mark.parametrize("steps", ["+400", "0x190", "4_00"])
    def test_whole_numbers_have_every_spelling_of_yaml(self, load, steps):
        text = TEXT.replace("explore:\n  steps: 400", f"explore:\n  steps: {steps}")
        assert load(text) == load_study(VALID)

    def test_a_stage_may_have_no_runs(self, data, load):
        data["finetune"]["runs"] = {}
        data["pretrain"]["runs"] = {}
        assert load(data).pretrain.runs == {}

    def test_a_run_may_have_steps_of_its_own(self, data, load):
        data["explore"]["runs"]["sac"]["steps"] = 900
        data["finetune"]["runs"]["sql_from_sql"]["steps"] = 300
        study = load(data)
        assert study.explore.runs["sac"].steps == 900
        assert study.finetune.runs["sql_from_sql"].steps == 300
        assert (study.explore.runs["ddpg"].steps, study.explore.steps) == (None, 400)

    def test_steps_that_no_run_has_need_not_suffice(self, data, load):
        data["explore"]["steps"] = 1
        for run in data["explore"]["runs"].values():
            run["steps"] = 400
        assert load(data).explore.steps == 1

    def test_only_finetuning_has_a_start(self):
        study = load_study(VALID)
        assert study.finetune.runs["sql_from_sql"].start == "sql"
        assert study.scratch.runs["ddpg"].start is None

    def test_an_anchor_may_say_something_once(self, load):
        once = TEXT.replace("seeds: [0, 1, 2, 3]", "seeds: &seeds [0, 1, 2, 3]")
        text = once.replace("hidden: [32, 32]", "hidden: &widths [32, 32]", 1)
        assert load(text) == load_study(VALID)


class TestMistakesInOnePlace:
    def test_a_misspelt_key_is_answered_with_line_and_nearest_name(self, answer):
        message = answer(("temperature: {fixed", "temprature: {fixed"))
        assert message.startswith(
            f"params.yaml:{line_of('temperature: {fixed')}: algorithms.sql.temprature: "
            "unknown key; did you mean 'temperature'? allowed: "
        )
        assert "\n" not in message

    def test_a_missing_key_is_answered_at_its_parent(self, answer):
        message = answer(("    horizon: 30\n", ""))
        line = line_of("  multigoal:")
        assert f"params.yaml:{line}: tasks.multigoal.horizon: missing" in message

    @pytest.mark.parametrize(
        ("old", "new", "said"),
        [
            ("batch: 32", "batch: '32'", "whole number, found '32'; write it without"),
            ("batch: 32", "batch: '1e3'", "whole number, found '1e3'; write 1000"),
            ("batch: 32", "batch: 1e3", "whole number, found 1000.0; write 1000"),
            ("batch: 32", "batch: 1,000", "whole number, found '1,000'; write 1000"),
            ("batch: 32", "batch: 1e400", "must be a whole number, found .inf"),
            ("0.95", ".95e0", "must be a number, found '.95e0'; write 0.95"),
            ("0.95", "'.inf'", "must be a number, found '.inf'"),
            ("episode: true", "episode: 'true'", "'true'; write it without quotes"),
            ("episode: true", "episode: yes", "must be true or false, found 'yes'"),
            ("batch: 32", "batch: 1.5", "must be a whole number, found 1.5"),
            ("batch: 32", "batch: true", "must be a whole number, found true"),
            ("batch: 32", "batch:", "must be a whole number, found nothing"),
            ("batch: 32", "batch: 0", "must be greater than 0, found 0"),
            ("[0, 1, 2, 3]", "[0, 99999999999]", "must be less than 4294967296"),
            ("batch: 32", "batch: [32]", "must be a whole number, found [32]"),
            ("0.99", "1", "must be less than 1, found 1"),
            ("0.99", ".nan", "must be a finite number, found .nan"),
            ("0.95", ".inf", "must be a finite number, found .inf"),
            ("tau: 0.005", "tau: -.inf", "must be a finite number, found -.inf"),
            ("hidden: [32, 32]", "hidden: 32", "must be a list, found 32; write [32]"),
            ("hidden: [32, 32]", "hidden: []", "must have at least 1 value, found 0"),
            ("hidden: [32, 32]", "hidden: [32, -1]", "sql.hidden[1]: must be greater"),
            ("kind: sac", "kind: sacc", "'ddpg' or 'reinforce', found 'sacc'; did"),
            (" kind: sac\n", "\n", "sac.kind: missing; 'sql', 'sac', 'ddpg' or 'reinf"),
            ("policy: sample", "policy: smple", "did you mean 'sample'?"),
            ("{tau: 0.005}", "{tua: 0.005}", "must be {tau: …} or {update_every: …}"),
            ("{tau: 0.005}", "{tau: 1, update_every: 2}", "update_every: unknown key"),
            ("{fixed: 10.0}", "10.0", "with the keys fixed, annealing, found 10.0"),
            ("{fixed: 10.0}", "{fixed: {a: 1}}", "must be a number, found {"),
            ("name: smoke", "name: 3", "must be text, found 3; write it in quotes"),
            ("name: smoke", "name: My Study", "made of a-z, 0-9 and _, found 'My St"),
            (" sac: {alg", " sac-1: {alg", "made of a-z, 0-9 and _, found 'sac-1'"),
            (
                " sac: {alg",
                f" {'a' * 51}: {{alg",
                "has at most 50 characters, found 51",
            ),
            ("name: smoke", f"name: {'a' * 240}", "at most 50 characters, found 240"),
            ("[1.0, 30.0]", "[1.0]", "must have 2 values, found 1"),
            ("[1.0, 30.0]", "[1.0, 2.0, 3.0]", "must have at most 2 values, found 3"),
            ("log_uniform", "loguniform", "must be {log_uniform: …} or {uniform: …}"),
            (", start: sql}", "}", "sql_from_sql.start: missing"),
            ("steps: 400", "stpes: 400", "explore.stpes: unknown key; did you mean"),
            (", task: multigoal}", ", start: sql, task: multigoal}", "unknown key"),
        ],
    )
    def test_it_says_what_was_found_and_what_is_allowed(self, answer, old, new, said):
        message = answer((old, new))
        assert said in message
        assert re.match(r"params\.yaml:\d+: [a-z_.0-9\[\]-]+: ", message)

    def test_all_mistakes_come_at_once_in_the_order_of_the_file(self, answer):
        message = answer(
            ("batch: 32", "batch: 0"),
            ("algorithm: sac, task: multigoal}", "algorithm: sac, task: multigaol}"),
            ("confidence: 0.95", "confidence: 95"),
        )
        first, *others = message.splitlines()
        assert first == "params.yaml has 3 mistakes"
        assert [other.split(":")[2].strip() for other in others] == [
            "algorithms.sql.batch",
            "explore.runs.sac.task",
            "compare.confidence",
        ]

    def test_an_entry_that_is_wrong_is_not_also_called_missing(self, answer):
        message = answer(("    kind: sac\n", "    kind: sacc\n"))
        assert "there is no algorithm" not in message


@pytest.mark.parametrize("pattern", ["{{a: 'x{}y'}}", "[x, '{}y']", "a:\n  b: '{}y'"])
def test_what_is_taken_dvc_reads_even_once_it_has_written_it(tmp_path, pattern):
    path, taken = tmp_path / "params.yaml", 0
    for sign in set(string.printable) - set("'\t\n\r\x0b\x0c"):
        path.write_text(pattern.format(sign))
        try:
            found = Document(path).data
        except ParamsError:
            continue
        written = io.StringIO()
        YAML().dump(YAML().load(path), written)
        for text in (path.read_text(), written.getvalue()):
            assert YAML(typ="safe").load(text) == found
        taken += 1
    assert taken > 90


class TestNotAStudyAtAll:
    @pytest.mark.parametrize(
        ("text", "said"),
        [
            ("", "params.yaml:1: must be a mapping with the keys study, "),
            ("- 1", "params.yaml:1: must be a mapping with the keys study, "),
            ("a: 1\nb: [1\nc: 2", "params.yaml:3: not valid YAML: "),
            ("a:\n\tb: 2", "params.yaml:2: a tab; YAML has spaces there"),
            ("\na: {b: c:d}", "params.yaml:2: a.b: DVC cannot read text with ':' in"),
            ("\na: {b: 'c:d'}", "params.yaml:2: a.b: DVC cannot read text with ':'"),
            ("a: [{b: [c?]}]", "params.yaml:1: a[0].b[0]: DVC cannot read text with"),
            ("\na: {b:1}", "params.yaml:2: not valid YAML: found unexpected ':'"),
            ("a: 1\na: 2", "params.yaml:2: 'a' is written twice; first in line 1"),
            ("a: *b", "params.yaml:1: not valid YAML: found undefined alias 'b'"),
            ("a: &a [*a]", "params.yaml:1: a[0]: a value that contains itself"),
            ("a: 1\n---\nb: 2", "params.yaml:2: not valid YAML: "),
            (CONFLICT, "params.yaml:2: a conflict that Git has left; edit it, or take"),
            ("\n1: a", "params.yaml:2: a key has to be text; write '1'"),
            ("a: !!int b", "params.yaml:1: a: not a !!int: b"),
            ("a: !new b", "params.yaml:1: a: the tag !new means nothing here"),
            ('a: "\\ud800"', "params.yaml:1: a: text with half a character"),
            ("a: \x07", "params.yaml:1: not valid YAML: unacceptable character"),
            ("[" * 5000, "params.yaml:1: nested too deeply"),
            (f"a:\n {'[' * 99}{']' * 99}", "params.yaml:2: a[0][0]: nested too deeply"),
        ],
    )
    def test_the_answer_is_one_line(self, refused, text, said):
        assert refused(text).startswith(said)
        assert "\n" not in refused(text)

    def test_bytes_that_are_no_text(self, tmp_path):
        (tmp_path / "params.yaml").write_bytes(b"a: 1\nb: \xff\n")
        with pytest.raises(ParamsError, match=r"params\.yaml:2: not UTF-8 text"):
            load_study(tmp_path / "params.yaml")

    def test_a_file_that_is_not_there(self, tmp_path):
        with pytest.raises(UserError, match=r"params\.yaml: no such file"):
            load_study(tmp_path / "params.yaml")
