"""What the receivers have, held against what the service believes to have told; pure."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from guard.model import CallKind, Cover
from tests.crash.channels import RECIPIENTS, THREADED, Kind

MOST_COPIES_BY_A_BOT: Final = 1  # what it was sent it looks for, however often it is killed


@dataclass(frozen=True, slots=True)
class Taken:
    """One message as its receiver shows it at the end; a reply's `thread` is the `id` of what it replies to."""

    kind: str
    key: str
    recipient: str = ""
    id: str = ""
    thread: str = ""
    texts: tuple[str, ...] = ()  # what it said over time


@dataclass(frozen=True, slots=True)
class Believed:
    """One delivery that the service marked as sent."""

    key: str
    kind: str
    recipient: str
    call: CallKind
    covers: tuple[Cover, ...]


@dataclass
class Count:
    """What a run saw: `copies` are messages beyond the first with their key, or that no delivery stands for."""

    seed: int
    kinds: tuple[Kind, ...]
    kills: int = 0
    incidents: int = 0
    doubts: int = 0  # attempts of which the service could not know whether they had arrived
    unanswered: int = 0  # mails that were taken without an answer, on purpose
    accepted: dict[str, int] = field(default_factory=dict)
    copies: dict[str, int] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)

    def compare(self, taken: Sequence[Taken], believed: Sequence[Believed], incidents: Mapping[str, str]) -> None:
        """Counts, and writes down all that is wrong beyond copies.

        `incidents` gives by id the channel that one is about, if it is about one. Of that another channel is told where
        it could be reached then, which nobody knows here; but whoever is told of it is told of its end.
        """
        self.incidents = len(incidents)
        for kind in self.kinds:
            here = [each for each in taken if each.kind == kind]
            sent = {each.key: each for each in believed if each.kind == kind}
            told = [each for each in _firsts(here) if each.key in sent]
            self.accepted[kind], self.copies[kind] = len(here), len(here) - len(told)
            arrived = {each.key for each in told}
            self.wrong += [
                f"{kind}: delivery {each.key} is marked as sent and never arrived"
                for each in sent.values()
                if each.call is not CallKind.EDIT and each.key not in arrived
            ]
            for recipient in RECIPIENTS[kind]:
                theirs = [(each, sent[each.key]) for each in told if each.recipient == recipient]
                whose = f"{kind} {recipient}".strip()
                self.wrong += [f"{whose}: {each}" for each in _untold(theirs, incidents)]
                self.wrong += [f"{whose}: {each}" for each in _out_of_order(theirs)]
                if kind in THREADED:
                    every = [
                        (each, sent[each.key]) for each in here if each.key in sent and each.recipient == recipient
                    ]
                    self.wrong += [f"{whose}: {each}" for each in _astray(every)]
            if kind is Kind.BOT:
                self.wrong += [f"{kind}: {each}" for each in _unresolved(here)]

    @property
    def broken(self) -> list[str]:
        """The promises that do not hold."""
        most = {Kind.WEBHOOK: self.kills, Kind.BOT: MOST_COPIES_BY_A_BOT, Kind.MAIL: self.kills + self.unanswered}
        over = [kind for kind in self.kinds if self.copies.get(kind, 0) > most[kind]]
        return [*self.wrong, *(f"{kind}: {self.copies[kind]} copies after {self.kills} kills" for kind in over)]


_Told = Sequence[tuple[Taken, Believed]]


def _firsts(taken: Iterable[Taken]) -> list[Taken]:
    """The messages without their copies, in the order of arrival."""
    by_key: dict[str, Taken] = {}
    for each in taken:
        by_key.setdefault(each.key, each)
    return list(by_key.values())


def _untold(told: _Told, incidents: Mapping[str, str]) -> Iterator[str]:
    """Every incident of an account is told of, and each end too, by itself or in the first message of the next one."""
    known = [cover.knowledge for _, each in told for cover in each.covers]
    heard = {each.incident_id for each in known} | {name for each in known for name in each.missed}
    ended = {each.incident_id for each in known if each.ended} | {name for each in known for name in each.missed}
    for incident in sorted(incidents):
        if incident not in heard:
            if not incidents[incident]:
                yield f"nobody was told of incident {incident}"
        elif incident not in ended:
            yield f"nobody was told of the end of incident {incident}"


def _out_of_order(told: _Told) -> Iterator[str]:
    """What is told of an incident only ever rises, and its end comes last."""
    last: dict[str, tuple[bool, int]] = {}
    for _, each in told:
        for cover in each.covers:
            known = cover.knowledge
            now = (known.ended, int(known.level))
            if now <= last.get(known.incident_id, (False, 0)):
                yield f"incident {known.incident_id} was told {now} after {last[known.incident_id]}"
            last[known.incident_id] = now


def _astray(told: _Told) -> Iterator[str]:
    """An incident is one message, or copies of one, and what is told of it later replies to that."""
    roots: defaultdict[str, dict[str, str]] = defaultdict(dict)  # the keys of each incident's messages, by their ids
    for taken, each in told:
        incident = each.covers[0].knowledge.incident_id
        if not taken.thread:
            roots[incident][taken.id] = taken.key
        elif taken.thread not in roots[incident]:
            yield f"a reply of incident {incident} stands under {taken.thread}, not under {list(roots[incident])}"
    for incident, keys in roots.items():
        if len(set(keys.values())) > 1:
            yield f"incident {incident} has {len(set(keys.values()))} messages of its own"


def _unresolved(taken: Iterable[Taken]) -> Iterator[str]:
    """When all is over, every message of an incident says so; of a copy nobody knows."""
    roots = [each for each in taken if not each.thread]
    good = Counter(each.key for each in roots if each.texts[-1].startswith("[resolved]"))
    yield from (f"{each.id} still says {each.texts[-1]!r}" for each in roots if not good[each.key])
