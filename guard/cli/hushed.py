"""What holds an alert's messages back now, in the words of `guard explain`; and until when."""

from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING

from guard.cli.hearing import ack_text, silence_text
from guard.model import Level
from guard.units import instant_text

if TYPE_CHECKING:
    from guard.cli.situation import Situation, Target
    from guard.rules.policy import QuietWindow


def held_text(it: "Situation") -> str:
    """Who is not told for now, and why; empty where nobody is held back from."""
    if it.alert is None or it.alert.incident is None:
        return ""  # what is over is told to nobody who has not heard of it, held back or not
    names: dict[str, list[str]] = {}
    for each in held(it):
        names.setdefault(mutes_text(it, each), []).append(each.name)
    return "; ".join(_held_from(", ".join(each), why, is_one=len(each) == 1) for why, each in names.items())


def _held_from(names: str, why: str, *, is_one: bool) -> str:
    if why:
        return f"it is held back from {names}: {why}"
    return f"{names} {'is' if is_one else 'are'} no longer held back, and told in the next cycle"


def held(it: "Situation") -> "list[Target]":
    """Those from whom something is held back that has not ended."""
    return [each for each in it.targets if each.is_held and not each.is_begun]


def mutes_text(it: "Situation", target: "Target") -> str:
    """Each of what holds back the level that a recipient should know, since it is told when the last one is over."""
    desired = target.notification.desired if target.notification else None
    return muted_text(it, desired.level) if desired else ""


def less_text(it: "Situation") -> str:
    """Why what everybody knows is not told again for now; empty where nothing holds that back."""
    ack, level = it.hearing.ack, it.alert.level if it.alert else None
    if ack:
        return f"reminders wait: {ack_text(ack, zone=it.tz)}"
    why = muted_text(it, level) if level else ""
    return f"reminders wait: {why}" if why else ""


def until(it: "Situation") -> Iterator[datetime]:
    """When each of what holds reminders back now is over, as far as it is ever."""
    if it.hearing.ack is not None and it.hearing.ack.until_at is not None:
        yield it.hearing.ack.until_at
    if it.hearing.silence is not None:
        yield it.hearing.silence.ends_at
    if window := _window(it, it.alert.level if it.alert else None):
        yield from filter(None, (_end(window, it),))


def is_for_good(it: "Situation") -> bool:
    """Whether nobody is reminded as long as all stays as it is."""
    ack, window = it.hearing.ack, _window(it, it.alert.level if it.alert else None)
    is_flapping = it.alert is not None and it.alert.flapping is not None
    never_ends = window is not None and _end(window, it) is None
    return is_flapping or never_ends or (ack is not None and ack.until_at is None)


def muted_text(it: "Situation", level: Level) -> str:
    """Each of what holds a level of it back now."""
    reading = it.alert.reading if it.alert else None
    labels = it.policy.labels if it.policy else reading.labels if reading else {}
    silence, window = it.mutes.silence(it.key, labels, level, now=it.now), _window(it, level)
    quiet = ""
    if window is not None:
        at = _end(window, it)
        quiet = f"quiet window {window.name}" + (f" until {instant_text(at, it.tz)}" if at else "")
    return "; ".join(filter(None, (quiet, silence_text(silence, zone=it.tz) if silence is not None else "")))


def _window(it: "Situation", level: Level | None) -> "QuietWindow | None":
    """The quiet window that holds now."""
    if it.policy is None or level is None or level is Level.CRITICAL:
        return None
    return next((each for each in it.policy.quiet if each.covers(it.now)), None)


def _end(window: "QuietWindow", it: "Situation") -> datetime | None:
    from guard.config.quiet import end_of

    return end_of(window, now=it.now)
