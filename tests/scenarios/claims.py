"""What each phrase of `guard explain` claims of the world, checked at every step of every scenario."""

from collections.abc import Callable, Mapping
from typing import Final

from guard.cli.situation import Situation, Target
from guard.model import DeliveryState, State
from tests.scenarios.receivers import Mood

Moods = Mapping[str, Mood]
Claim = Callable[[Situation, Moods], bool]


def _everybody_knows(it: Situation, _: Moods) -> bool:
    """Nobody who was led there is without a message of what fires, or of what ended last, but whoever is muted."""
    known = [each.notification for each in it.targets if each.notification]
    return bool(known) and all(
        each.desired is None
        or each.desired.flapping
        or (
            each.notified is not None
            and (each.desired.incident_id, each.desired.ended) == (each.notified.incident_id, each.notified.ended)
            and each.desired.level <= each.notified.level
        )
        for each in known
    )


def _is_muted(it: Situation, _: Moods) -> bool:
    """What is held back from somebody is so by a silence or a window that holds that very level now."""
    held = [each.notification.desired for each in it.targets if each.is_held and each.notification]
    present = [it.alert.level] if it.alert and it.alert.level else []
    levels = [each.level for each in held if each is not None] or present
    mutes = (it.mutes.hold(it.key, it.policy, each, now=it.now) for each in levels) if it.policy else iter(())
    return bool(levels) and all(mutes)


def _states(it: Situation) -> set[DeliveryState]:
    return {delivery.state for each in it.targets for delivery in each.deliveries}


def _troubled(it: Situation, moods: Moods) -> list[Target]:
    return [each for each in it.targets if each.gap and moods[each.channel] is not Mood.OK]


CLAIMS: Final[Mapping[str, Claim]] = {
    # The cycle has run, and all that is due was sent.
    "no longer held back": lambda _it, _moods: False,
    "told now": lambda _it, _moods: False,
    "the next cycle tells": lambda _it, _moods: False,
    "everybody knows": _everybody_knows,
    "held back from": _is_muted,
    "tried again in": lambda it, moods: DeliveryState.PENDING in _states(it) and bool(_troubled(it, moods)),
    "whether it has arrived": lambda it, _: any(each.channel == "bot" and each.gap for each in it.targets),
    "began too late": lambda it, _: any(each.is_held and each.deliveries for each in it.targets),
    "refused it": lambda it, moods: DeliveryState.DEAD in _states(it) and Mood.DOWN not in moods.values(),
    "it was given up": lambda it, moods: DeliveryState.DEAD in _states(it) and Mood.REFUSES not in moods.values(),
    "Nothing is sent now: it fires ": lambda it, _: it.alert is not None and it.alert.state is State.FIRING,
    "it is pending": lambda it, _: it.alert is not None and it.alert.state is State.PENDING,
    "it is recovering": lambda it, _: it.alert is not None and it.alert.state is State.RECOVERING,
    "no level holds": lambda it, _: it.trace is not None and it.trace.level is None,
    "was over before it was to be told": lambda it, _: it.alert is not None and it.alert.incident is None,
    "does not fire just now": lambda it, _: it.alert is not None and it.alert.incident is None,
}


def false_claim(sentence: str, it: Situation, moods: Moods) -> str:
    """The phrase of a sentence that is not true; empty where all are."""
    return next((each for each, holds in CLAIMS.items() if each in sentence and not holds(it, moods)), "")
