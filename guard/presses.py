"""Presses of buttons under a message: what one asks for is written down, and shown at once."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from glob import escape
from typing import Final

from guard.cycle import AccountGoneError, Cycles, log_decision
from guard.errors import StorageError
from guard.lifecycle.mutes import acked, is_ack_in_force, is_in_force
from guard.logs import log
from guard.model import Ack, Incident, Silence, master_name
from guard.notify.slack_buttons import ENDED, Press
from guard.parts import Parts
from guard.store import Unit

UNWRITTEN: Final = "Nothing was done: the database takes no writes just now. Please press again in a while."
"""What is told where a press could not be written down; it is not tried later."""

STAYS: Final = "Done. This message stays as it is while the alert flaps."
"""What is told where the message does not show what the press did."""

_SAME: Final = timedelta(minutes=1)
"""A silence that ends so close to another is a copy of it: a press that came twice, or a finger that did."""


@dataclass(frozen=True, slots=True)
class Presses:
    """Does what presses ask for, for all accounts of a service."""

    parts: Parts
    wake: Callable[[], object]  # whoever edits the message

    async def __call__(self, press: Press) -> str:
        """Does it, and gives what to tell the person alone; empty where the message itself will show it."""
        try:
            return await self._noted(press)
        except AccountGoneError:
            return ENDED
        except StorageError as fault:
            log.error("press.storage", str(fault), alert=press.key)
            return UNWRITTEN

    async def _noted(self, press: Press) -> str:
        work = partial(note_press, press=press, now=self.parts.clock.now())
        cycles = self._cycles(press.key.account)
        if cycles is None:  # what goes on there is about a channel, and is looked at every few seconds
            return await self.parts.store.run(work)
        before = cycles.account
        raised = partial(self.parts.outbox.storm.note, master_name(before.name))
        # A crash before this commit forgets the press, and the message shows so.
        text, decision = await cycles.note(work, raised=raised)
        log_decision(before, decision)
        self.wake()
        return text

    def _cycles(self, account: str) -> Cycles | None:
        """Those of an account; None where it is no longer watched."""
        watched = (each for family in self.parts.families for each in (family.master, *family.subs))
        return next((each for each in watched if each.config.name == account), None)


def note_press(unit: Unit, press: Press, *, now: datetime) -> str:
    """Writes down what a press asks for, once however often it comes; gives what to tell the person alone."""
    incident = unit.incident(press.incident_id)
    if incident is None:
        return ENDED
    alert = unit.alerts(incident.key.account).get(incident.key)
    flaps = alert is not None and alert.flapping is not None
    # The message of one that flaps stands for many incidents: the present one is meant, and between two of them it can
    # be silenced.
    if alert is not None and flaps and alert.incident is not None:
        incident = alert.incident
    if incident.ended_at is not None and not (flaps and press.for_):
        return ENDED
    act = _ack if press.for_ is None else _silence
    return act(unit, incident, press, now=now) or (STAYS if flaps else "")


def _ack(unit: Unit, incident: Incident, press: Press, *, now: datetime) -> str:
    standing = (each for each in unit.acks([incident.id]) if each.level >= incident.peak and each.until_at is None)
    known = next((each for each in standing if is_ack_in_force(each, now=now)), None)
    if known is not None:
        return "" if known.by == press.by else f"{known.by or 'Somebody'} has acknowledged it already."
    ack = Ack(incident.id, incident.peak, now, press.by)
    unit.add_ack(ack)
    unit.add_events([acked(incident, ack)])
    return ""


def _silence(unit: Unit, incident: Incident, press: Press, *, now: datetime) -> str:
    """Silences the alert alone; what an earlier press asked for is ended where this one lasts longer."""
    assert press.for_ is not None  # noqa: S101 - the caller's branch
    pattern, ends_at = escape(str(incident.key)), now + press.for_
    like = [each for each in unit.silences(since=now) if is_in_force(each, now=now) and _is_plain(each, pattern)]
    last = max(like, key=lambda each: each.ends_at, default=None)
    if last is not None and last.ends_at > ends_at - _SAME:
        longer = f"It is silenced for longer already; `guard silence end {last.id}` ends that."
        return longer if last.ends_at > ends_at + _SAME else ""
    for each in like:
        unit.end_silence(each.id, now=now)
    unit.add_silence(Silence(pattern, now, ends_at, by=press.by))
    return ""


def _is_plain(silence: Silence, pattern: str) -> bool:
    """Whether it silences what a press would, and gives no reason that would be lost."""
    return silence.pattern == pattern and not (silence.labels or silence.below or silence.reason)
