"""A digest: one message about many alerts."""

from collections.abc import Callable, Sequence
from datetime import datetime, tzinfo
from typing import Final

from guard.message.message import Line, Message
from guard.message.telling import earlier, level_of, mark, summary, title
from guard.message.text import listed, one_line
from guard.model import Occasion, Telling

_LINES: Final = 20
_TITLE_ACCOUNTS: Final = 3  # a digest of more accounts names these and counts the rest


def digest(tellings: Sequence[Telling], *, now: datetime, zone_of: Callable[[str], tzinfo]) -> Message:
    """The message that tells of all of them, worst first and what is over last."""
    ranked = sorted(tellings, key=_badness)
    over = sum(telling.occasion is Occasion.RESOLVED for telling in ranked)
    worst = level_of(ranked[0])
    ended = over == len(ranked)
    return Message(
        mark="digest resolved" if ended else f"digest {worst.word}",
        title=listed(sorted({one_line(each.alert.key.account) for each in tellings}), at_most=_TITLE_ACCOUNTS),
        summary=f"{len(ranked)} alerts" + (f", {over} of them resolved" if 0 < over < len(ranked) else ""),
        level=worst,
        ended=ended,
        lines=tuple(_line(each, now=now, zone=zone_of(each.alert.key.account)) for each in ranked[:_LINES]),
        more=max(0, len(ranked) - _LINES),
    )


def _badness(telling: Telling) -> tuple[bool, int, str]:
    """Sorts the worst first and what is over last."""
    return telling.occasion is Occasion.RESOLVED, -level_of(telling), str(telling.alert.key)


def _line(telling: Telling, *, now: datetime, zone: tzinfo) -> Line:
    return Line(
        mark=mark(telling),
        level=level_of(telling),
        ended=telling.occasion is Occasion.RESOLVED,
        text=f"{title(telling)}: {summary(telling)}"
        + (f" ({earlier(telling.missed, now=now, zone=zone)})" if telling.missed else ""),
    )
