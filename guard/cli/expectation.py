"""What a rule test expects of one alert in one poll: read from its table, and held against what happened."""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Final, TypeVar

from guard.model import AlertKey, Each, Event, EventKind, Level, Reason
from guard.replay import Cycle
from guard.sandbox.document import Document
from guard.sandbox.errors import suggestion

PATH: Final = ("test", "expect")

_LEVELS: Final[Mapping[str, Level | Reason]] = {level.word: level for level in Level}
_REASONS: Final[Mapping[str, Level | Reason]] = {reason.value: reason for reason in Reason}

_HAPPENINGS: Final[Mapping[str, tuple[EventKind, Mapping[str, Level | Reason] | None]]] = {
    "pending": (EventKind.PENDING, None),
    "calmed": (EventKind.CALMED, None),
    "fired": (EventKind.FIRED, _LEVELS),
    "escalated": (EventKind.ESCALATED, _LEVELS),
    "lowered": (EventKind.LOWERED, _LEVELS),
    "recovering": (EventKind.RECOVERING, None),
    "refired": (EventKind.REFIRED, _LEVELS),
    "resolved": (EventKind.RESOLVED, _REASONS),
    "reminded": (EventKind.REMINDER_DUE, _LEVELS),
    "unknown": (EventKind.UNKNOWN, None),
    "known": (EventKind.KNOWN, None),
    "flapping": (EventKind.FLAPPING, None),
    "stable": (EventKind.STABLE, None),
    "held": (EventKind.HELD, None),
    "released": (EventKind.RELEASED, None),
}
"""What can happen to an alert: the key that expects it, its event, and the words that its value may be (None: true)."""

_WORDS: Final = {kind: word for word, (kind, _) in _HAPPENINGS.items()}
_NOTHING: Final = "nothing"
_DETAILS: Final = ("summary", "told")
_WHERE: Final = ("at", "alert", "subject")

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Expectation:
    """One thing that should happen, or nothing where `kind` is None; what is left out is not looked at."""

    line: int | None
    key: AlertKey
    at: timedelta | None  # counted from the scenario's start; None: in every poll, which only nothing can be
    kind: EventKind | None
    level: Level | None = None
    reason: Reason | None = None
    summary: str | None = None
    told: frozenset[str] | None = None  # channels

    def __str__(self) -> str:
        """As the timeline shows it: `fired warning '2 of 12 phone numbers left' to ops`."""
        if self.kind is None:
            return _NOTHING
        level = self.level.word if self.level else ""
        quoted = "" if self.summary is None else repr(self.summary)
        told = "" if self.told is None else _told_text(self.told)
        return " ".join(filter(None, (_WORDS[self.kind], level, self.reason or "", quoted, told)))

    def miss(self, event: Event, cycle: Cycle) -> str:
        """By what an event of this kind is not the one that was meant, in a word; empty where it is."""
        if self.level is not None and event.level is not self.level:
            return "level"
        if self.reason is not None and event.text != self.reason:
            return "reason"
        if self.summary is not None and summary_of(event.key, cycle) != self.summary:
            return "text"
        return "told" if self.told is not None and told_of(event.key, cycle) != self.told else ""

    def seen(self, event: Event, cycle: Cycle) -> str:
        """What happened, in as many words as were expected."""
        parts = [happened(event)]
        if self.summary is not None:
            parts.append(repr(summary_of(event.key, cycle)))
        if self.told is not None:
            parts.append(_told_text(told_of(event.key, cycle)))
        return " ".join(parts)


def happened(event: Event) -> str:
    """An event as the timeline shows it: `fired warning`, `resolved recovered`."""
    word = _WORDS[event.kind]
    _, words = _HAPPENINGS[word]
    if words is _LEVELS and event.level is not None:
        return f"{word} {event.level.word}"
    return f"{word} {event.text}" if words is _REASONS or event.kind is EventKind.UNKNOWN else word


def summary_of(key: AlertKey, cycle: Cycle) -> str:
    """What people would read of an alert that changed in a cycle."""
    alert = next((each for each in cycle.alerts if each.key == key), None)
    return alert.reading.summary if alert and alert.reading else ""


def told_of(key: AlertKey, cycle: Cycle) -> frozenset[str]:
    """The channels that are told of an alert in a cycle."""
    return frozenset(each.channel for each in cycle.told if each.telling.alert.key == key)


def _told_text(channels: Iterable[str]) -> str:
    return f"to {', '.join(sorted(channels)) or 'nobody'}"


@dataclass(frozen=True, slots=True)
class Known:
    """What an expectation may name."""

    account: str
    rules: Mapping[str, Each | None]  # by name, with what each has an alert for; at least one
    disabled: Collection[str]
    channels: tuple[str, ...]
    moment: Callable[[str], timedelta]  # reads a time; may raise ValueError


def read_expectation(file: Document, table: Mapping[str, object], known: Known, *, nth: int) -> Expectation:
    """Reads the nth [[test.expect]]. Raises SandboxError."""
    file.know(table, (*_WHERE, *_HAPPENINGS, _NOTHING, *_DETAILS), what="key", path=PATH, nth=nth)
    try:
        return _expectation(file, table, known, nth=nth)
    except ValueError as error:
        raise file.problem(str(error), path=PATH, nth=nth) from None


def _expectation(file: Document, table: Mapping[str, object], known: Known, *, nth: int) -> Expectation:
    rule = file.take(table, str, (*PATH, "alert"), nth=nth)
    if rule is None:
        raise ValueError(f"alert is missing; write the rule's name, as in alert = {next(iter(known.rules))!r}")
    if rule in known.disabled:
        raise ValueError(f"the rule {rule!r} is disabled (enabled = false), so that nothing ever happens to it")
    subject = file.take(table, str, (*PATH, "subject"), nth=nth) or ""
    _check_subject(subject, rule, _member(rule, known.rules, what="rule"))
    kind, value = _kind(file, table, nth)
    at = file.take(table, str, (*PATH, "at"), nth=nth)
    if at is None and kind is not None:
        raise ValueError('at is missing; write when, counted from the start, as in at = "10m"')
    return Expectation(
        line=file.line(PATH, nth=nth),
        key=AlertKey(known.account, rule, subject),
        at=None if at is None else known.moment(at),
        kind=kind,
        level=value if isinstance(value, Level) else None,
        reason=value if isinstance(value, Reason) else None,
        summary=file.take(table, str, (*PATH, "summary"), nth=nth),
        told=_told(table, known.channels),
    )


def _check_subject(subject: str, rule: str, each: Each | None) -> None:
    if subject and each is None:
        raise ValueError(f"{rule} has one alert for the account; leave subject out")
    if each is not None and not subject:
        raise ValueError(f"{rule} has one alert for each {each.value}; write subject = the id of one")


def _told(table: Mapping[str, object], channels: tuple[str, ...]) -> frozenset[str] | None:
    """The channels that should be told, of none perhaps."""
    names = table.get("told")
    if names is None:
        return None
    if not isinstance(names, list):
        raise ValueError('told is a list of channels, as in told = ["ops"]')  # noqa: TRY004 - a mistake of a file
    known = {name: name for name in channels}
    return frozenset(_member(str(name), known, what="channel") for name in names)


def _kind(file: Document, table: Mapping[str, object], nth: int) -> tuple[EventKind | None, Level | Reason | None]:
    """What is expected to happen, with the level or the reason."""
    said = [word for word in (*_HAPPENINGS, _NOTHING) if word in table]
    if len(said) != 1:
        found = " and ".join(said) if said else "nothing of it"
        raise ValueError(f"each expectation says one thing: {', '.join(_HAPPENINGS)} or {_NOTHING}; here is {found}")
    (word,) = said
    kind, words = _HAPPENINGS.get(word, (None, None))
    if words is not None:
        if not isinstance(table[word], str):
            what = "why" if words is _REASONS else "at which level"
            raise ValueError(f"{word} says {what}, in quotes: {', '.join(words)}")
        text = file.take(table, str, (*PATH, word), nth=nth) or ""
        return kind, _member(text, words, what="reason" if words is _REASONS else "level")
    if file.take(table, bool, (*PATH, word), nth=nth) is not True:
        raise ValueError(f"write {word} = true, or leave the expectation out")
    if kind is None and (details := [each for each in _DETAILS if each in table]):
        raise ValueError(f"where nothing happens there is no {details[0]}")
    return kind, None


def _member(word: str, known: Mapping[str, _T], *, what: str) -> _T:
    if word not in known:
        raise ValueError(f"{word!r} is no {what}{suggestion(word, known) or '; there are ' + ', '.join(known)}")
    return known[word]
