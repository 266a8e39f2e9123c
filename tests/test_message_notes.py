"""What people did about an incident, how its value moved, and which messages somebody can act upon."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from inline_snapshot import snapshot

from guard.message import Firing, Message, compose
from guard.message.past import drawn
from guard.model import Ack, Incident, Level, Occasion, Reason, Silence, State, Telling
from guard.notify.slack_blocks import blocks
from tests.builders import KEY, NOW, alert, incident, knowledge, reading

C = Level.CRITICAL
ACK = Ack("inc1", C, NOW - timedelta(minutes=5), by="@ann")
SILENCE = Silence("main/*", NOW, NOW + timedelta(hours=4), by="@ann")


def telling(occasion: Occasion = Occasion.STANDING, **changes: object) -> Telling:
    over = occasion is Occasion.RESOLVED
    ended = {"ended_at": NOW, "reason": Reason.RECOVERED} if over else {}
    about: Incident = incident(peak=C, **ended)
    now = alert(reading=reading()) if over else alert(state=State.FIRING, level=C, incident=about, reading=reading())
    fields = {"alert": now, "incident": about, "desired": knowledge(C, ended=over), "notified": knowledge(C)}
    return Telling(**{"occasion": occasion} | fields | changes)  # type: ignore[arg-type] # as in tests.builders


def composed(told: Telling) -> Message:
    return compose([told], now=NOW, zone_of=lambda _: ZoneInfo("Europe/Berlin"))


def small_print(told: Telling) -> str:
    (last,) = [each for each in blocks(composed(told)) if each["type"] == "context"]
    return str(last["elements"])


def test_who_acknowledged_an_incident_and_when_stands_in_the_small_print() -> None:
    (fact,) = composed(telling(ack=ACK)).facts[-1:]
    assert (fact.name, fact.text, fact.at) == ("Acknowledged by @ann at", "2026-11-23 15:00 CET", ACK.at)
    assert "Acknowledged by @ann at <!date^" in small_print(telling(ack=ACK))


def test_until_when_it_is_silenced_and_by_whom_stands_there_too() -> None:
    (fact,) = composed(telling(silence=SILENCE)).facts[-1:]
    assert (fact.name, fact.text, fact.at) == ("Silenced by @ann until", "2026-11-23 19:05 CET", SILENCE.ends_at)
    assert "Silenced by @ann until <!date^" in small_print(telling(ack=ACK, silence=SILENCE))


def test_nobody_s_name_is_left_out_and_no_name_is_more_than_a_name() -> None:
    nobody = composed(telling(ack=Ack("inc1", C, NOW), silence=Silence("*", NOW, NOW, by="<!here>\n*ann*")))
    assert [fact.name for fact in nobody.facts[-2:]] == ["Acknowledged at", "Silenced by <!here> *ann* until"]
    assert "<!here>" not in small_print(telling(silence=Silence("*", NOW, NOW, by="<!here>")))


def test_of_what_is_over_nothing_of_this_is_said() -> None:
    over = composed(telling(Occasion.RESOLVED, ack=ACK, silence=SILENCE))
    assert not [fact for fact in over.facts if "@ann" in fact.name]
    assert over.firing is None


@pytest.mark.parametrize("occasion", [Occasion.FIRED, Occasion.ESCALATED, Occasion.REMINDER, Occasion.STANDING])
def test_what_goes_on_can_be_acted_upon(occasion: Occasion) -> None:
    assert composed(telling(occasion)).firing == Firing(KEY, "inc1")
    assert composed(telling(occasion, ack=ACK)).firing == Firing(KEY, "inc1", is_acked=True)


def test_a_digest_cannot_be_acted_upon() -> None:
    assert compose([telling()] * 4, now=NOW, zone_of=lambda _: ZoneInfo("UTC")).firing is None


# --- where the console shows it ------------------------------------------------------------------------------------


def test_a_message_leads_to_its_alert_and_a_digest_to_all_of_them() -> None:
    def link(*tellings: Telling, console_url: str = "https://guard.example.com") -> str:
        return compose(tellings, now=NOW, zone_of=lambda _: ZoneInfo("UTC"), console_url=console_url).link

    assert link(telling()) == f"https://guard.example.com/alerts/{KEY.account}/{KEY.rule}"
    assert link(telling(Occasion.RESOLVED)) == link(telling())
    assert link(telling(), telling()) == "https://guard.example.com/"
    assert link(telling(), console_url="") == link(telling(), telling(), console_url="") == ""


# --- how it moved --------------------------------------------------------------------------------------------------


def ago(hours: float) -> datetime:
    return NOW - timedelta(hours=hours)


def test_how_the_value_moved_in_the_last_day_is_a_fact_below_it() -> None:
    past = tuple((ago(hours), 24 - hours) for hours in range(23, -1, -1))
    names = [fact.name for fact in composed(telling(past=past)).facts]
    assert names.index("Last 24 h") == names.index("Value") + 1
    assert drawn(past, now=NOW) == snapshot("▁▁▂▂▂▃▃▃▃▄▄▄▅▅▅▆▆▆▆▇▇▇██")


@pytest.mark.parametrize(
    ("points", "line"),
    [
        ((), ""),
        (((ago(1), 5.0),), ""),
        (((ago(0.1), 5.0), (ago(0), 6.0)), ""),
        (((ago(24), 1.0), (ago(2), 5.0)), ""),
        (((ago(2), 5.0), (ago(-1), 6.0)), ""),
        (((ago(23.5), 5.0), (ago(0), 5.0)), "▁······················▁"),
        (((ago(23.5), 9.0), (ago(5.5), 1.0), (ago(5.2), 5.0), (ago(0), 1.0)), "█·················▅····▁"),
        (((ago(3), -1e308), (ago(0), 1e308)), "····················▁··█"),
    ],
)
def test_the_line_has_a_block_for_each_hour_with_a_value(points: tuple[tuple[datetime, float], ...], line: str) -> None:
    assert drawn(points, now=NOW) == line


@given(st.lists(st.tuples(st.floats(-2, 30), st.floats(allow_nan=False, allow_infinity=False)), max_size=40))
def test_whatever_the_values_the_line_is_24_blocks_or_none(points: list[tuple[float, float]]) -> None:
    line = drawn([(ago(hours), value) for hours, value in sorted(points, reverse=True)], now=NOW)
    assert len(line) in {0, 24}
    assert set(line) <= set("▁▂▃▄▅▆▇█·")
