"""Messages as channels get them; valid by default, changed by keyword."""

from datetime import timedelta

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from guard.message import Fact, Line, Message
from guard.model import Level
from tests.builders import NOW

NASTY = [
    "x" * 10_000,
    "🔥" * 10_000,
    "&" * 10_000,
    "<!channel> <@U1> <https://evil.example|numbers>",
    "\x1b[2J\x1b]0;title\x07\x9b31m",
    "\u202egnihtyna",
    "*_~`bold`~_*",
    "two\nlines\r\n\u2028three",
    "[red]markup[/red] [/] [link=file:///etc/passwd]x[/link]",
    "\ud800",
    "",
    " ",
]

NAMES = st.one_of(st.sampled_from(NASTY), st.text(max_size=20))

PATIENT = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture])
"""For properties that hold however busy the machine is, and whose fixtures are the same for all examples."""


def message(**changes: object) -> Message:
    fields: dict[str, object] = {
        "mark": "critical",
        "title": "main / numbers-remaining",
        "summary": "1 of 12 phone numbers left",
        "level": Level.CRITICAL,
        "facts": (
            Fact("Account", "main"),
            Fact("Value", "1, critical below 2, warning below 3"),
            Fact("Since", "2026-11-23 14:05 UTC", NOW),
            Fact("Data", "12 s old"),
        ),
        "runbook": "https://example.com/numbers",
    }
    return Message(**fields | changes)  # type: ignore[arg-type] # a builder's keywords are checked by what it builds


def digest(lines: int = 3, *, more: int = 0, text: str = "main / spend: $412.00 this month") -> Message:
    shown = tuple(Line("critical", Level.CRITICAL, ended=n % 2 == 1, text=text) for n in range(lines))
    return message(mark="digest critical", title="main", summary="many alerts", facts=(), lines=shown, more=more)


@st.composite
def messages(draw: st.DrawFn) -> Message:
    """Anything at all, also what `compose` would have cleaned."""
    undated = draw(st.lists(st.builds(Fact, NAMES, NAMES), max_size=12))
    instants = st.timedeltas(timedelta(days=-9), timedelta(days=9)).map(NOW.__add__)
    dated = draw(st.lists(st.builds(Fact, NAMES, NAMES, instants), max_size=3))
    lines = st.builds(Line, mark=NAMES, level=st.sampled_from(Level), ended=st.booleans(), text=NAMES)
    return Message(
        mark=draw(st.sampled_from(["critical", "reminder critical", "digest critical"])),
        title=draw(NAMES),
        summary=draw(NAMES),
        level=draw(st.none() | st.sampled_from(Level)),
        ended=draw(st.booleans()),
        facts=(*undated, *dated),
        lines=tuple(draw(st.lists(lines, max_size=20))),
        more=draw(st.integers(0, 9)),
        description=draw(NAMES),
        runbook=draw(NAMES | NAMES.map("https://example.com/".__add__)),
        link=draw(NAMES | NAMES.map("https://guard.example.com/".__add__)),
    )
