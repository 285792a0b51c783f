from pipeline.study.statistics.bootstrap import Interval
from pipeline.study.statistics.numbers import digits_for, number


def test_numbers_have_a_minus_sign_and_thin_spaces():
    assert number(-1234.56, 1) == "\u22121\u202f234.6"
    assert number(0.946, 2) == "0.95"
    assert number(20000, 0) == "20\u202f000"


def test_an_interval_has_as_many_decimals_as_its_largest_end_needs():
    assert digits_for(0.5, -12.0) == 1
    assert Interval(-120.04, -131.6, -9.0).text() == "−120 [−132, −9]"
    assert Interval(0.951, 0.9, 1).text() == "0.95 [0.90, 1.00]"
    assert Interval(25.41, 23.3, 27.2).text(" %") == "25.4 % [23.3, 27.2]"
