"""What holds an alert's messages back now, in the words of `guard explain`; and until when."""

from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING

from guard.cli.hearing import ack_text, silence_text
from guard.model import Level
from guard.units import instant_text

if TYPE_CHECKING:
    from guard.cli.situation import Situation
    from guard.rules.policy import QuietWindow


def held_text(it: "Situation") -> str:
    """Who is not told for now, and why; empty where nobody is held back from."""
    wishes = ((each.name, each.notification.desired) for each in it.targets if each.notification)
    held = [name for name, desired in wishes if desired and desired.held and not desired.ended]
    names = ", ".join(held)
    if not names:
        return ""
    why = _muted(it)
    return (
        f"it is held back from {names}: {why}"
        if why
        else f"{names} {'is' if len(held) == 1 else 'are'} no longer held back, and told in the next cycle"
    )


def less_text(it: "Situation") -> str:
    """Why what everybody knows is not told again for now; empty where nothing holds that back."""
    ack = it.hearing.ack
    why = ack_text(ack, zone=it.tz) if ack else _muted(it)
    return f"reminders wait: {why}" if why else ""


def until(it: "Situation") -> Iterator[datetime]:
    """When each of what holds reminders back now is over, as far as it is ever."""
    if it.hearing.ack is not None and it.hearing.ack.until_at is not None:
        yield it.hearing.ack.until_at
    if it.hearing.silence is not None:
        yield it.hearing.silence.ends_at
    if window := _window(it):
        yield from filter(None, (_end(window, it),))


def is_for_good(it: "Situation") -> bool:
    """Whether nobody is reminded as long as all stays as it is."""
    ack, window = it.hearing.ack, _window(it)
    is_flapping = it.alert is not None and it.alert.flapping is not None
    never_ends = window is not None and _end(window, it) is None
    return is_flapping or never_ends or (ack is not None and ack.until_at is None)


def _muted(it: "Situation") -> str:
    """Each of what mutes it now, since it is told when the last one is over."""
    silence, window = it.hearing.silence, _window(it)
    quiet = ""
    if window is not None:
        at = _end(window, it)
        quiet = f"quiet window {window.name}" + (f" until {instant_text(at, it.tz)}" if at else "")
    return "; ".join(filter(None, (quiet, silence_text(silence, zone=it.tz) if silence is not None else "")))


def _window(it: "Situation") -> "QuietWindow | None":
    """The quiet window that holds now."""
    level = it.alert.level if it.alert else None
    if it.policy is None or level is None or level is Level.CRITICAL:
        return None
    return next((each for each in it.policy.quiet if each.covers(it.now)), None)


def _end(window: "QuietWindow", it: "Situation") -> datetime | None:
    from guard.config.quiet import end_of

    return end_of(window, now=it.now)
