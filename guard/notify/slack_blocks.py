"""A message as Slack shows it: header, summary, facts and context as Block Kit blocks; pure.

Limits are Slack's: 50 blocks, 150 characters in a header, 3,000 in a section, 2,000 in a field and 10 fields, and near
13,000 in all (`msg_blocks_too_long`). What is cut here is cut well below, since Slack does not say whether it counts
before or after escaping, nor what it takes for a character.
https://docs.slack.dev/reference/block-kit/blocks
"""

from collections.abc import Iterator, Sequence
from itertools import takewhile
from typing import Final

from guard.message import Fact, Line, Message
from guard.notify.slack_buttons import button_blocks

Block = dict[str, object]

_HEADER: Final = 150
_SUMMARY: Final = 600
_DESCRIPTION: Final = 1000
_FIELD_NAME: Final = 60
_FIELD: Final = 300
_FIELDS: Final = 10
_SMALL_PRINT: Final = 150
_LINK: Final = 1000
_LINE: Final = 200
_LINES_A_SECTION: Final = 12
_TEXT: Final = 1000

_ENTITIES: Final = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}
_IN_A_LINK: Final = str.maketrans({"&": "&amp;", "<": "%3C", ">": "%3E", "|": "%7C", " ": "%20"})
_ASTRAL: Final = 0xFFFF  # beyond it a character is two of those that JavaScript counts


def blocks(message: Message, *, mention: str = "", has_buttons: bool = False) -> list[Block]:
    """The message's blocks; `mention` is Slack markup (`<!here>`) and is put before the summary.

    Buttons stand last, under a message whose incident goes on.
    Facts before the first one with an instant stand in two columns, it and what follows in small print below.
    """
    undated = tuple(takewhile(lambda fact: fact.at is None, message.facts))
    return [
        {
            "type": "header",
            "text": _plain(f"{message.emoji} {message.mark} · {message.title}"),
        },
        _section(_summary(message, mention)),
        *_fields(undated),
        *_lines(message),
        *_context(message.facts[len(undated) :], message),
        *(button_blocks(message.firing, link=message.link) if has_buttons and message.firing else ()),
    ]


def fallback(message: Message, *, mention: str = "") -> str:
    """The message as short text, for where blocks are not shown; it begins with the state in brackets."""
    return " ".join(filter(None, (escaped(message.text, at_most=_TEXT), mention)))


def escaped(text: str, *, at_most: int) -> str:
    """The text with `&`, `<` and `>` as entities, cut with an ellipsis and never inside an entity.

    Lengths are those of the escaped text, with two for a character beyond the basic plane.

    >>> escaped("a <b> & c", at_most=8)
    'a &lt;b…'
    """
    pieces = [_ENTITIES.get(character, character) for character in text[: at_most + 1]]
    length, fitting = 0, 0
    for piece in pieces:
        length += _length(piece)
        fitting += length < at_most
    return "".join(pieces) if length <= at_most else "".join(pieces[:fitting]) + "…"


def _length(piece: str) -> int:
    return 2 if ord(piece[0]) > _ASTRAL else len(piece)


def _plain(text: str) -> Block:
    return {"type": "plain_text", "text": escaped(text, at_most=_HEADER), "emoji": True}


def _mrkdwn(text: str) -> Block:
    """A text object that is already escaped; verbatim, so that Slack makes no links and mentions out of names."""
    return {"type": "mrkdwn", "text": text, "verbatim": True}


def _section(text: str) -> Block:
    return {"type": "section", "text": _mrkdwn(text)}


def _summary(message: Message, mention: str) -> str:
    first = " ".join(filter(None, (mention, f"*{escaped(message.summary, at_most=_SUMMARY)}*")))
    return "\n".join(filter(None, (first, escaped(message.description, at_most=_DESCRIPTION))))


def _fields(facts: Sequence[Fact]) -> Iterator[Block]:
    """Facts in two columns."""
    fields = [
        _mrkdwn(f"*{escaped(fact.name, at_most=_FIELD_NAME)}*\n{escaped(fact.text, at_most=_FIELD)}") for fact in facts
    ]
    if fields:
        yield {"type": "section", "fields": fields[:_FIELDS]}


def _lines(message: Message) -> Iterator[Block]:
    """A digest's lines, as many to a section as surely fit."""
    written = [_line(line) for line in message.lines]
    if message.more:
        written.append(f"and {message.more} more")
    for start in range(0, len(written), _LINES_A_SECTION):
        yield _section("\n".join(written[start : start + _LINES_A_SECTION]))


def _line(line: Line) -> str:
    return f"{line.emoji} {escaped(f'[{line.mark}] {line.text}', at_most=_LINE)}"


def _context(facts: Sequence[Fact], message: Message) -> Iterator[Block]:
    """When it was, how old the data is and the ways to runbook and console, in small print."""
    parts = [*map(_dated, facts), *_link("Runbook", message.runbook), *_link("Console", message.link)]
    if parts:
        yield {"type": "context", "elements": [_mrkdwn(" · ".join(parts))]}


def _dated(fact: Fact) -> str:
    name, text = escaped(fact.name, at_most=_SMALL_PRINT), escaped(fact.text, at_most=_SMALL_PRINT)
    if fact.at is None:
        return f"{name} {text}"
    # In the reader's own zone; a bar would end the token, so the fallback holds none.
    return f"{name} <!date^{int(fact.at.timestamp())}^{{date_short_pretty}} {{time}}|{text.replace('|', '/')}>"


def _link(name: str, url: str) -> Iterator[str]:
    """A plain link: a button would need an app that answers, which a webhook has not."""
    link = url.translate(_IN_A_LINK)
    if url.startswith(("https://", "http://")) and len(link) <= _LINK:
        yield f"<{link}|{name}>"
    elif url:
        yield f"{name} {escaped(url, at_most=_SMALL_PRINT)}"
