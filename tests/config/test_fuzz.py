"""No text makes load() raise."""

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from guard.config import Loaded
from tests.config.files import APPRISE, BOT, HOOK, MAIL, SUBS, read

LOGIN = 'port = 587\nsecurity = "starttls"\nusername = "me"\npassword = "${SMTP_PASSWORD}"\n'
MORE = SUBS.replace("main", "more") + "budgets = { calls = 5 }\n" + BOT + HOOK + APPRISE + MAIL + LOGIN
EXAMPLE = (Path(__file__).parents[2] / "rules.example.toml").read_text(encoding="utf-8") + MORE
SNIPPETS = [
    *EXAMPLE.splitlines(keepends=True),
    "[rules]\n",
    "[[rules]]\n",
    "[a.b]\n",
    "x.y = {z = [1, {}]}\n",
    '"',
    "'''",
]


def check(loaded: Loaded, text: str) -> None:
    lines = text.replace("\r\n", "\n").count("\n") + 1
    for problem in loaded.problems:
        assert 1 <= problem.line <= lines
        assert problem.column >= 1
        assert problem.render().startswith("rules.toml:")
    has_errors = any(problem.severity == "error" for problem in loaded.problems)
    assert (loaded.config is None) is has_errors


def test_the_example_is_good_before_it_is_damaged() -> None:
    assert read(EXAMPLE).config is not None


@given(st.text(st.characters(), max_size=200))
def test_no_text_makes_it_raise(text: str) -> None:
    check(read(text), text)


@given(st.lists(st.sampled_from(SNIPPETS) | st.text("[]{}.=\"'\\\n#a1 \r\t\u00e9\u6f22", max_size=6), max_size=30))
def test_no_heap_of_snippets_makes_it_raise(parts: list[str]) -> None:
    text = "".join(parts)
    check(read(text), text)


@given(st.integers(0, len(EXAMPLE)), st.integers(0, 12), st.text(max_size=6))
def test_no_damage_to_the_example_makes_it_raise(at: int, cut: int, put: str) -> None:
    text = EXAMPLE[:at] + put + EXAMPLE[at + cut :]
    check(read(text), text)


VALUES = [
    "1",
    "-1.5",
    "nan",
    "true",
    '""',
    '"x"',
    '"all"',
    '"a@b.org"',
    '["a@b.org", "B <a@b.org>", 1]',
    '"< 3"',
    '"1m"',
    "[]",
    '["ops"]',
    "{}",
    "{ a = 1 }",
    "2026-11-23",
    "[[1]]",
]
KEYS = sorted({line.partition("=")[0].strip() for line in EXAMPLE.splitlines() if "=" in line and line[:1] not in "#["})


@given(st.data())
def test_no_value_of_any_kind_under_any_key_makes_it_raise(data: st.DataObject) -> None:
    lines = EXAMPLE.splitlines()
    at = data.draw(st.integers(0, len(lines)))
    lines.insert(at, f"{data.draw(st.sampled_from(KEYS))} = {data.draw(st.sampled_from(VALUES))}")
    text = "\n".join(lines)
    check(read(text), text)


@given(st.data())
def test_no_kind_of_value_in_place_of_another_makes_it_raise(data: st.DataObject) -> None:
    lines = [line for line in EXAMPLE.splitlines() if line and not line.startswith("#")]
    at = data.draw(st.sampled_from([index for index, line in enumerate(lines) if "=" in line]))
    lines[at] = f"{lines[at].partition('=')[0]} = {data.draw(st.sampled_from(VALUES))}"
    text = "\n".join(lines)
    check(read(text), text)
