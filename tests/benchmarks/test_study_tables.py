import pytest

from benchmarks.study_tables import filled

PAGE = "Words.\n\n<!-- table runs -->\n| old |\n<!-- end -->\n\nMore words.\n"


def test_a_page_keeps_its_words_and_gets_the_tables():
    new = filled(PAGE, {"runs": "| new |\n"})
    assert new == PAGE.replace("old", "new")
    assert filled(new, {"runs": "| new |\n"}) == new


def test_a_table_that_the_study_does_not_have_is_refused():
    with pytest.raises(SystemExit, match="no table runs; there are claims"):
        filled(PAGE, {"claims": ""})
