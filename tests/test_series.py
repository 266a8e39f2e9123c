import pytest
from hypothesis import given
from hypothesis import strategies as st
from inline_snapshot import snapshot

from guard.series import MAX_VALUES, SeriesError, parse_series


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("5", (5,)),
        ("-5", (-5,)),
        ("1.5", (1.5,)),
        ("5x3", (5, 5, 5)),
        ("5x1", (5,)),
        ("5x01", (5,)),
        ("0x2", (0, 0)),
        ("_", (None,)),
        ("_x2 1", (None, None, 1)),
        ("5x2 4 3 _ 2x2", (5, 5, 4, 3, None, 2, 2)),
        ("0+10x3", (0, 10, 20, 30)),
        ("5-1x4", (5, 4, 3, 2, 1)),
        ("-1-2x2", (-1, -3, -5)),
        ("7+0x2", (7, 7, 7)),
        ("0+0.1x3", (0, 0.1, 0.2, 0.3)),
        (" 1\t2\n3 ", (1, 2, 3)),
        ("999999999999999.5", (999999999999999.5,)),
    ],
)
def test_each_word_gives_its_values(text: str, values: tuple[float | None, ...]) -> None:
    assert parse_series(text) == values


@pytest.mark.parametrize(
    ("text", "at_fault"),
    [
        ("1 2,000 3", "2,000"),
        ("1 five", "five"),
        ("5x", "5x"),
        ("x5", "x5"),
        ("5 x 3", "x"),
        ("5x0", "5x0"),
        ("1 5+1", "5+1"),
        ("5+1x0", "5+1x0"),
        ("_+1x3", "_+1x3"),
        ("5x3x3", "5x3x3"),
        ("5x-1", "5x-1"),
        ("1e9", "1e9"),
        ("nan", "nan"),
        (".5", ".5"),
        ("1000000000000000", "1000000000000000"),
        ("٣", "٣"),  # a digit, but of another script
        (f"1 2x{MAX_VALUES}", f"2x{MAX_VALUES}"),
        (f"0+1x{MAX_VALUES}", f"0+1x{MAX_VALUES}"),
        ("5x" + "9" * 5_000, "5x" + "9" * 5_000),
    ],
)
def test_an_error_points_at_the_word(text: str, at_fault: str) -> None:
    with pytest.raises(SeriesError) as caught:
        parse_series(text)
    assert text[caught.value.start : caught.value.end] == at_fault


def test_errors_are_sentences() -> None:
    texts = ["", "1 2,000", "1 five", "5x0", "5+1", "5x1000001", "5x" + "x" * 50]
    said = []
    for text in texts:
        with pytest.raises(SeriesError) as caught:
            parse_series(text)
        said.append(str(caught.value))
    assert said == snapshot(
        [
            "character 1: there is no value; write 5, 5x10 (ten times), 0+10x60 (a ramp) or _",
            "character 3: '2,000' has a comma; values are set apart by spaces, and thousands are not set apart",
            "character 3: 'five' is no part of a series; write 5, 5x10 (ten times), 0+10x60 (a ramp) or _",
            "character 1: '5x0' counts to 0; leave it out, or count to 1 at least",
            "character 1: '5+1' does not say how many steps to make; write 5+1x10 for ten",
            "character 1: '5x1000001' makes the series longer than 1,000,000 values",
            "character 1: '5xxxxxxxxxxxxxxx…' is no part of a series; write 5, 5x10 (ten times), 0+10x60 (a ramp) or _",
        ]
    )


def test_the_longest_series_is_read() -> None:
    assert len(parse_series(f"5 6x{MAX_VALUES - 1}")) == MAX_VALUES


_whole = st.integers(min_value=-(10**9), max_value=10**9)


@given(st.lists(st.none() | _whole, min_size=1))
def test_values_written_out_one_by_one_are_read_back(values: list[int | None]) -> None:
    text = " ".join("_" if value is None else str(value) for value in values)
    assert parse_series(text) == tuple(values)


@given(value=st.none() | _whole, count=st.integers(min_value=1, max_value=50))
def test_a_count_is_the_same_as_writing_the_value_so_often(value: int | None, count: int) -> None:
    word = "_" if value is None else str(value)
    assert parse_series(f"{word}x{count}") == parse_series(" ".join([word] * count))


@given(first=_whole, step=_whole, count=st.integers(min_value=1, max_value=50))
def test_a_ramp_starts_at_its_start_and_makes_so_many_equal_steps(first: int, step: int, count: int) -> None:
    values = parse_series(f"{first}{step:+d}x{count}")
    assert values == tuple(first + step * number for number in range(count + 1))


@given(st.text(alphabet="0123456789x+-._, \t", max_size=20))
def test_any_text_is_read_or_refused_with_a_place_inside_it(text: str) -> None:
    place = slice(0, 0)
    try:
        length = len(parse_series(text))
    except SeriesError as error:
        length, place = 1, slice(error.start, error.end)
    assert 0 < length <= MAX_VALUES
    assert 0 <= place.start <= place.stop <= len(text)
