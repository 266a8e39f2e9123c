import contextlib
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from inline_snapshot import snapshot

from guard.sandbox.errors import SandboxError
from guard.sandbox.scenario import Body, Fault, Kind, Scenario, SubAccount
from guard.sandbox.scenario_file import load_scenario, read_scenario, scenario_names

BAD = sorted((Path(__file__).parent / "bad").glob("*.toml"))

WHOLE = """
about = "all that a file can say"
interval = "30s"
repeat = true
start = 2026-11-30T23:00:00.5+01:00
sub_accounts = 3
sub_story = "rest"

[series]
"numbers.remaining" = "5x2 _ 4-1x2"
stats.messagesLast24h = "100"

[[faults]]
from = "5m"
to = "12m"
status = 429
retry_after = "2m"
body = "html"

[[faults]]
from = "1h"
path = "*"
kind = "hang"

[sub.acme]
name = "Acme Dental"

[sub.acme.series]
numbers.remaining = "3"

[[sub.acme.faults]]
path = "/v1/usage/daily"

[sub."b.c"]
"""


def read(text: str) -> Scenario:
    return read_scenario(text, name="mine", place="mine.toml")


def test_a_file_says_all_that_a_scenario_holds() -> None:
    assert read(WHOLE) == Scenario(
        name="mine",
        about="all that a file can say",
        interval=timedelta(seconds=30),
        series={"numbers.remaining": (5, 5, None, 4, 3, 2), "stats.messagesLast24h": (100,)},
        faults=(
            Fault(
                start=timedelta(minutes=5),
                end=timedelta(minutes=12),
                status=429,
                retry_after="120",
                body=Body.HTML,
            ),
            Fault(start=timedelta(hours=1), path="*", kind=Kind.HANG),
        ),
        repeat=True,
        start=datetime(2026, 11, 30, 22, tzinfo=UTC),
        subs={
            "acme": SubAccount(
                "Acme Dental",
                Scenario(
                    "acme",
                    interval=timedelta(seconds=30),
                    series={"numbers.remaining": (3,)},
                    faults=(Fault(path="/v1/usage/daily"),),
                    repeat=True,
                ),
            ),
            "b.c": SubAccount("b.c", Scenario("b.c", interval=timedelta(seconds=30), repeat=True)),
        },
        more_subs=3,
        more_subs_rest=True,
    )


def test_an_empty_file_is_a_quiet_account() -> None:
    assert read("") == Scenario("mine", interval=timedelta(minutes=1))


def test_only_sub_accounts_may_repeat() -> None:
    assert read('repeat = true\n[sub.acme.series]\n"numbers.remaining" = "5 4"').repeat


def test_sub_accounts_play_the_main_story_unless_they_rest() -> None:
    assert not read("sub_accounts = 3").more_subs_rest
    assert not read('sub_accounts = 3\nsub_story = "main"').more_subs_rest


def test_a_fault_that_says_nothing_is_503_for_good_from_the_start() -> None:
    assert read("[[faults]]").faults == (Fault(),)


@pytest.mark.parametrize("text", ["90", "Mon, 23 Nov 2026 14:06:00 GMT", "soon", ""])
def test_a_retry_after_that_is_no_duration_is_kept_as_it_stands(text: str) -> None:
    assert read(f'[[faults]]\nretry_after = "{text}"').faults[0].retry_after == text


@pytest.mark.parametrize("file", BAD, ids=lambda file: file.stem)
def test_each_mistake_is_told_with_its_line(file: Path) -> None:
    text = file.read_text()
    expected = text.partition("\n")[0].removeprefix("# ")
    with pytest.raises(SandboxError) as caught:
        read_scenario(text, name=file.stem, place=file.name)
    assert str(caught.value) == expected


@pytest.mark.parametrize("text", ["a = " + "9" * 5_000, "a = " + "[" * 100_000, "a." * 5_000 + "a = 1"])
def test_what_would_break_the_reader_is_refused(text: str) -> None:
    with pytest.raises(SandboxError, match=r"^mine\.toml"):
        read(text)


def test_names_nested_a_thousand_deep_are_only_an_unknown_field() -> None:
    with pytest.raises(SandboxError, match=r"unknown field 'a\.a\.a'"):
        read("[series]\n" + "a." * 1_000 + 'a = "1"')


@given(st.text(max_size=60))
def test_any_text_is_read_or_refused(text: str) -> None:
    with contextlib.suppress(SandboxError):
        assert read(text).name == "mine"


def test_a_file_is_found_by_its_path_and_named_after_it(tmp_path: Path) -> None:
    path = tmp_path / "weekend.toml"
    path.write_text("\ufeff" + WHOLE, encoding="utf-8")  # some editors put a byte-order mark in front
    assert load_scenario(str(path)).name == "weekend"


def test_a_file_needs_no_suffix_if_it_is_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("weekend").write_text(WHOLE)
    assert load_scenario("weekend").name == "weekend"


def test_a_built_in_name_goes_before_a_file_of_that_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("steady").write_text(WHOLE)
    assert load_scenario("steady").about != read(WHOLE).about


@pytest.mark.parametrize(
    ("name", "complaint"),
    [
        ("numbrs", "there is no scenario 'numbrs', did you mean 'numbers'? "),
        ("qqq", "there is no scenario 'qqq'. "),
        ("", "there is no scenario ''. "),
    ],
)
def test_an_unknown_name_lists_the_known_ones(name: str, complaint: str) -> None:
    with pytest.raises(SandboxError) as caught:
        load_scenario(name)
    assert str(caught.value).removeprefix(complaint) == snapshot(
        "Built in are agency, demo, messages, month-end, numbers, outage, steady, unauthorized, webhooks; "
        "a path that ends in .toml names your own"
    )


def test_a_file_that_cannot_be_read_says_why(tmp_path: Path) -> None:
    (tmp_path / "binary.toml").write_bytes(b"\xff\xfe\x00")
    (tmp_path / "huge.toml").write_bytes(b"#" * ((1 << 20) + 1))
    said = []
    for path in (tmp_path / "missing.toml", tmp_path, tmp_path / "binary.toml", tmp_path / "huge.toml"):
        with pytest.raises(SandboxError) as caught:
            load_scenario(f"{path}")
        said.append(str(caught.value).replace(str(tmp_path), "DIR"))
    with pytest.raises(SandboxError) as caught:
        load_scenario("nul\0.toml")
    said.append(str(caught.value))
    assert said == snapshot(
        [
            "'DIR/missing.toml' cannot be read: No such file or directory",
            "'DIR' cannot be read: Is a directory",
            "DIR/binary.toml: this is no scenario; it is not UTF-8 text",
            "DIR/huge.toml: this is no scenario; it is longer than 1 MiB",
            "'nul\\x00.toml' cannot be read: embedded null byte",
        ]
    )


def test_the_built_in_scenarios_are_known_by_name() -> None:
    assert scenario_names() == (
        "agency",
        "demo",
        "messages",
        "month-end",
        "numbers",
        "outage",
        "steady",
        "unauthorized",
        "webhooks",
    )
