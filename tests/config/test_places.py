"""Where keys and values stand."""

import tomllib

from hypothesis import assume, given
from hypothesis import strategies as st

from guard.config.literal import offsets, plain
from guard.config.places import Path, places, within
from guard.rules.complaint import Span

TEXT = """\
# a comment
top = 1
[accounts.main]
api_key = "x"    # another
budgets = { a = 1, "b.c" = 2 }
deep.er.key = ['one', { two = 3 }, # within
  [4]]
["ä"."ö ü"]
"naïve" = 'x'
[[list]]
a = 1
[[list]]
a = 2
[list.sub]
b = 3
"""


def parts(path: Path) -> tuple[str, str | None]:
    place = places(TEXT).by_path[path]
    value = place.value
    return TEXT[place.key.start : place.key.end], TEXT[value.start : value.end] if value else None


def test_every_key_and_value_is_found() -> None:
    assert parts(("top",)) == ("top", "1")
    assert parts(("accounts",)) == ("accounts", None)
    assert parts(("accounts", "main")) == ("main", None)
    assert parts(("accounts", "main", "api_key")) == ("api_key", '"x"')
    assert parts(("accounts", "main", "budgets")) == ("budgets", '{ a = 1, "b.c" = 2 }')
    assert parts(("accounts", "main", "budgets", "b.c")) == ('"b.c"', "2")
    assert parts(("accounts", "main", "deep", "er")) == ("er", None)
    assert parts(("accounts", "main", "deep", "er", "key", 0)) == ("'one'", "'one'")
    assert parts(("accounts", "main", "deep", "er", "key", 1, "two")) == ("two", "3")
    assert parts(("accounts", "main", "deep", "er", "key", 2, 0)) == ("4", "4")
    assert parts(("ä", "ö ü", "naïve")) == ('"naïve"', "'x'")
    assert parts(("list", 1, "a")) == ("a", "2")
    assert parts(("list", 1, "sub", "b")) == ("b", "3")


def test_what_is_not_there_has_the_place_of_the_table_around_it() -> None:
    found = places(TEXT)
    assert found.of(("accounts", "main", "every")) == found.by_path[("accounts", "main")]
    assert found.of(("nothing", "at all")).key == Span(0, 0)


def test_what_is_written_twice_is_found_at_its_second_place() -> None:
    text = "a = 1\n[t]\nb = 2\nb = 3\n[t]\n[[l]]\n[[l]]\n[t.u]\n"
    assert [(text[again.start : again.end], again.start) for again, _ in places(text).twice] == [
        ("b", 16),
        ("t", 23),
    ]


def paths(value: object, path: Path = ()) -> set[Path]:
    """Every path of a value of TOML."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return {path, *(deep for key, below in inner for deep in paths(below, (*path, key)))} if path or inner else set()


keys = st.text("ab-é \"'.\\", max_size=3)
leaves = st.integers(0, 9) | st.booleans() | st.text(st.characters(codec="utf-8"), max_size=4)
values = st.recursive(leaves, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=3))


def written(value: object) -> str:
    match value:
        case bool():
            return str(value).lower()
        case int():
            return str(value)
        case list():
            return f"[{', '.join(map(written, value))}]"
        case dict():
            return "{" + ", ".join(f"{written(key)} = {written(below)}" for key, below in value.items()) + "}"
        case _:
            return (
                '"'
                + "".join(
                    f"\\U{ord(char):08x}" if char in '"\\' or ord(char) < 32 or ord(char) == 127 else char
                    for char in str(value)
                )
                + '"'
            )


@given(st.dictionaries(keys, values, max_size=4))
def test_every_path_that_the_standard_library_reads_has_a_place(table: dict[str, object]) -> None:
    text = "".join(f"{written(key)} = {written(value)}\n" for key, value in table.items())
    assume("\x85" not in text)
    read = tomllib.loads(text)
    assert read == table
    assert paths(read) - {()} <= set(places(text).by_path)


LITERALS = [
    ("'plain'", "plain"),
    ('"plain"', "plain"),
    (r'"a\u0041\U0001F600\t\"\\b"', 'aA😀\t"\\b'),
    ('"""\nfirst\nsecond"""', "first\nsecond"),
    ('"""first \\\n    second"""', "first second"),
    ("'''\nraw \\n'''", "raw \\n"),
    ('""', ""),
    ('""""""', ""),
    ('""""quoted"""""', '"quoted""'),
]


def test_literals_say_what_the_standard_library_reads() -> None:
    for literal, said in LITERALS:
        assert tomllib.loads(f"x = {literal}")["x"] == said
        assert plain(literal) == said
        found = offsets(literal, expected=said)
        assert found is not None
        assert len(found) == len(said) + 1


def test_a_part_of_a_string_is_found_behind_escapes() -> None:
    text = r'x = "a\u0041b"'
    value = Span(4, len(text))
    assert text[5:6] == "a"
    assert within(text, value, Span(0, 1), expected="aAb") == Span(5, 6)
    assert within(text, value, Span(1, 2), expected="aAb") == Span(6, 12)
    assert within(text, value, Span(3, 3), expected="aAb") == Span(13, 14)
    assert within(text, value, Span(0, 9), expected="something else") == value


def test_an_escape_that_is_none_does_not_disturb() -> None:
    assert plain(r'"\q\UFFFFFFFF"') == "q\ufffd"
