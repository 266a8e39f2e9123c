"""How a problem is shown."""

import pytest

from guard.cli.output import printable
from guard.config import Problem, Severity, errors_text
from tests.config.files import ACCOUNT, CHANNEL, DEFAULTS, read


def problem(line: str, column: int, width: int = 1) -> Problem:
    return Problem("rules.toml", 12, column, Severity.ERROR, "no", line, width)


def shown(line: str, column: int, width: int = 1) -> list[str]:
    return problem(line, column, width).render().split("\n")[1:]


def test_a_problem_shows_its_place_its_line_and_what_is_meant() -> None:
    text = f'{ACCOUNT}{CHANNEL}{DEFAULTS}[rules.a]\nvalue = "numbers.remaning"\nwarning = "< 3"\n'
    (found,) = read(text).problems
    assert found.render() == (
        "rules.toml:11:10: error: unknown field 'numbers.remaning', did you mean 'numbers.remaining'?\n"
        '  value = "numbers.remaning"\n'
        "           ^~~~~~~~~~~~~~~~"
    )
    assert found.as_dict() == {
        "path": "rules.toml",
        "line": 11,
        "column": 10,
        "severity": "error",
        "text": "unknown field 'numbers.remaning', did you mean 'numbers.remaining'?",
        "source": 'value = "numbers.remaning"',
    }


@pytest.mark.parametrize(
    ("line", "column", "width", "marks"),
    [
        ("abc", 2, 1, " ^"),
        ("abc", 2, 2, " ^~"),
        ("abc", 2, 99, " ^~"),
        ("abc", 4, 1, "   ^"),
        ("漢字b", 3, 1, "    ^"),
        ("a漢字", 2, 2, " ^~~~"),
        ("e\u0301b", 3, 1, " ^"),
    ],
)
def test_the_caret_stands_under_what_is_meant(line: str, column: int, width: int, marks: str) -> None:
    assert shown(line, column, width) == [f"  {line}", f"  {marks}"]


@pytest.mark.parametrize(
    ("line", "column", "width", "wanted"),
    [
        ("\tvalue\t= x", 2, 5, ["      value    = x", "      ^~~~~"]),
        ("a\t\tb", 4, 1, ["  a        b", "           ^"]),
        ("a\u00a0\u00a0b", 4, 1, ["  a\ufffd\ufffdb", "     ^"]),
        ("a\u3000b", 3, 1, ["  a\ufffdb", "    ^"]),
        ("\u200bab", 2, 2, ["  \ufffdab", "   ^~"]),
    ],
)
def test_what_is_not_printable_does_not_move_the_caret_on_a_terminal(
    line: str, column: int, width: int, wanted: list[str]
) -> None:
    rendered = problem(line, column, width).render()
    assert printable(rendered) == rendered
    assert rendered.split("\n")[1:] == wanted


def test_a_long_line_is_shown_around_what_is_meant() -> None:
    line, marks = shown("a" * 500 + "b" + "c" * 500, 501)
    assert len(line) < 160
    assert line[marks.index("^")] == "b"


def test_nothing_in_a_line_is_obeyed_by_a_terminal() -> None:
    assert shown("a\x1b[31m\u202eb", 1)[0] == "  a\ufffd[31m\ufffdb"


def test_an_empty_line_is_not_shown() -> None:
    assert problem("  ", 1).render() == "rules.toml:12:1: error: no"


def test_the_text_of_all_errors_leaves_warnings_out() -> None:
    text = f'{ACCOUNT}{CHANNEL}{DEFAULTS}[rules.a]\nvalue = "stats.new"\nwarning = "< nan"\nfor = 5\n'
    assert errors_text(read(text).problems) == (
        "rules.toml:12:14: error: unknown field 'nan'\n"
        '  warning = "< nan"\n'
        "               ^~~\n"
        'rules.toml:13:7: error: for is a duration in quotes, such as "15m", and this is a number\n'
        "  for = 5\n"
        "        ^"
    )
