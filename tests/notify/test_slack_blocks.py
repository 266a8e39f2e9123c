import json
import re
from itertools import chain

import pytest
from hypothesis import given
from inline_snapshot import snapshot
from slack_sdk.models.blocks import Block as SlackBlock

from guard.message import Fact, Message
from guard.model import Level
from guard.notify.slack_blocks import Block, blocks, escaped, fallback
from tests.builders import NOW
from tests.notify.examples import NASTY, PATIENT, digest, message, messages

MOST = 13_000  # characters in all, where Slack answers msg_blocks_too_long


def texts(shown: list[Block]) -> list[str]:
    """Every text in the blocks, with its markup."""

    def walk(node: object) -> list[str]:
        match node:
            case {"text": str(text)}:
                return [text]
            case dict():
                return list(chain.from_iterable(map(walk, node.values())))
            case list():
                return list(chain.from_iterable(map(walk, node)))
            case _:
                return []

    return walk(shown)


def read(shown: list[Block]) -> str:
    return "\n".join(texts(shown))


def test_a_message_is_a_header_the_summary_the_facts_and_the_small_print() -> None:
    shown = blocks(message(), mention="<!here>")
    assert [block["type"] for block in shown] == ["header", "section", "section", "context"]
    assert shown[:3] == snapshot(
        [
            {
                "type": "header",
                "text": {"type": "plain_text", "text": "🔴 critical · main / numbers-remaining", "emoji": True},
            },
            {
                "type": "section",
                "text": {"type": "mrkdwn", "text": "<!here> *1 of 12 phone numbers left*", "verbatim": True},
            },
            {
                "type": "section",
                "fields": [
                    {
                        "type": "mrkdwn",
                        "text": """\
*Account*
main\
""",
                        "verbatim": True,
                    },
                    {
                        "type": "mrkdwn",
                        "text": """\
*Value*
1, critical below 2, warning below 3\
""",
                        "verbatim": True,
                    },
                ],
            },
        ]
    )
    assert read(shown[3:]).split(" · ") == snapshot(
        [
            "Since <!date^1795442700^{date_short_pretty} {time}|2026-11-23 14:05 UTC>",
            "Data 12 s old",
            "<https://example.com/numbers|Runbook>",
        ]
    )


def test_a_digest_is_a_header_the_summary_and_a_line_an_alert() -> None:
    assert blocks(digest(3, more=2)) == snapshot(
        [
            {"type": "header", "text": {"type": "plain_text", "text": "🔴 digest critical · main", "emoji": True}},
            {"type": "section", "text": {"type": "mrkdwn", "text": "*many alerts*", "verbatim": True}},
            {
                "type": "section",
                "text": {
                    "type": "mrkdwn",
                    "text": """\
🔴 [critical] main / spend: $412.00 this month
🟢 [critical] main / spend: $412.00 this month
🔴 [critical] main / spend: $412.00 this month
and 2 more\
""",
                    "verbatim": True,
                },
            },
            {
                "type": "context",
                "elements": [{"type": "mrkdwn", "text": "<https://example.com/numbers|Runbook>", "verbatim": True}],
            },
        ]
    )


def test_a_message_without_facts_or_runbook_is_a_header_and_the_summary() -> None:
    bare = message(mark="resolved", ended=True, facts=(), runbook="")
    assert read(blocks(bare)) == snapshot("""\
🟢 resolved · main / numbers-remaining
*1 of 12 phone numbers left*\
""")


def test_the_description_stands_under_the_summary() -> None:
    assert "*1 of 12 phone numbers left*\nRelease some." in read(blocks(message(description="Release some.")))


def test_a_digest_of_twenty_stays_within_a_section_each_few_lines() -> None:
    shown = blocks(digest(20, more=5, text="&" * 10_000))
    sections = [text for text in texts(shown) if "[critical]" in text]
    assert max(map(len, sections)) <= 3000
    assert "".join(sections).count("[critical]") == 20
    assert read(shown).count("and 5 more") == 1


@pytest.mark.parametrize(
    ("runbook", "shown"),
    [
        ("https://example.com/a?b=1&c=2", "<https://example.com/a?b=1&amp;c=2|Runbook>"),
        ("https://example.com/a|b c>d<e", "<https://example.com/a%7Cb%20c%3Ed%3Ce|Runbook>"),
        ("see the <wiki>", "Runbook see the &lt;wiki&gt;"),
        ("javascript:alert(1)", "Runbook javascript:alert(1)"),
    ],
)
def test_a_runbook_is_a_link_if_it_can_be_one(runbook: str, shown: str) -> None:
    assert texts(blocks(message(facts=(), runbook=runbook)))[-1] == shown


def test_a_runbook_that_would_have_to_be_cut_is_no_link() -> None:
    last = texts(blocks(message(facts=(), runbook="https://example.com/" + "x" * 2000)))[-1]
    assert last.startswith("Runbook https://example.com/xxx")
    assert last.endswith("…")


def test_a_bar_in_a_date_s_fallback_does_not_end_it() -> None:
    shown = texts(blocks(message(facts=(Fact("Since", "a|b>c", NOW),), runbook="")))[-1]
    assert shown == "Since <!date^1795442700^{date_short_pretty} {time}|a/b&gt;c>"


@pytest.mark.parametrize(
    ("text", "at_most", "cut"),
    [
        ("a & b", 9, "a &amp; b"),
        ("a & b", 8, "a &amp;…"),
        ("a & b", 7, "a …"),
        ("a & b", 3, "a …"),
        ("🔥🔥", 4, "🔥🔥"),
        ("🔥🔥", 3, "🔥…"),
        ("", 3, ""),
    ],
)
def test_a_text_is_never_cut_inside_an_entity_or_a_character(text: str, at_most: int, cut: str) -> None:
    assert escaped(text, at_most=at_most) == cut


def test_the_fallback_begins_with_the_state_and_ends_with_the_mention() -> None:
    assert fallback(message(), mention="<!here>") == snapshot(
        "[critical] main / numbers-remaining: 1 of 12 phone numbers left <!here>"
    )
    assert fallback(message()) == snapshot("[critical] main / numbers-remaining: 1 of 12 phone numbers left")


def test_the_fallback_is_short() -> None:
    assert len(fallback(message(summary="x" * 10_000), mention="<!here>")) <= 1010


@pytest.mark.parametrize("letter", ["x", "&", "🔥"])
def test_a_message_that_is_too_long_everywhere_still_fits(letter: str) -> None:
    long = letter * 10_000
    facts = (*[Fact(long, long)] * 12, *[Fact(long, long, NOW)] * 3)
    lines = digest(20, more=5, text=long).lines
    huge = message(title=long, summary=long, description=long, facts=facts, lines=lines, runbook=f"https://{long}")
    assert utf16(json.dumps(blocks(huge, mention="<!here>"), ensure_ascii=False)) < MOST


@PATIENT
@given(messages())
def test_whatever_a_message_holds_the_blocks_stay_within_slack_s_limits(any_message: Message) -> None:
    shown = blocks(any_message, mention="<!subteam^S0123456789>")
    for parsed in SlackBlock.parse_all(shown):
        parsed.validate_json()
    assert len(shown) <= 50
    assert utf16(texts(shown)[0]) <= 150
    assert all(0 < utf16(text) <= 3000 for text in texts(shown))
    for block in shown:
        fields = block.get("fields", [])
        assert isinstance(fields, list)
        assert len(fields) <= 10
        assert all(utf16(field["text"]) <= 2000 for field in fields)
    assert utf16(json.dumps(shown, ensure_ascii=False)) < MOST


@PATIENT
@given(messages())
def test_whatever_a_message_holds_only_our_own_markup_is_markup(any_message: Message) -> None:
    everything = "\n".join([read(blocks(any_message)), fallback(any_message)])
    ours = r"<!date\^\d+\^\{date_short_pretty\} \{time\}\|[^<>|]*>|<https?://[^<>| ]*\|(?:Runbook|Console)>"
    rest = re.sub(ours, "", everything)
    assert not re.search(r"[<>]|&(?!(?:amp|lt|gt);)", rest)


@pytest.mark.parametrize("name", NASTY)
def test_any_name_is_escaped_wherever_it_stands(name: str) -> None:
    everywhere = message(title=name, summary=name, description=name, facts=(Fact(name, name), Fact(name, name, NOW)))
    assert "<!channel>" not in read(blocks(everywhere)) + fallback(everywhere)


@pytest.mark.parametrize(
    ("level", "emoji"), [(Level.CRITICAL, "🔴"), (Level.WARNING, "🟠"), (Level.INFO, "🔵"), (None, "⚪")]
)
def test_the_header_shows_the_level_s_colour(level: Level | None, emoji: str) -> None:
    assert texts(blocks(message(level=level)))[0].startswith(emoji)
    assert texts(blocks(message(level=level, ended=True)))[0].startswith("🟢")


def utf16(text: str) -> int:
    """The length as JavaScript counts it, the most that Slack may see in it."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2
