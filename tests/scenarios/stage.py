"""A stage for scenarios: the cycles, the database and the outbox of the service, between an API and channels of ours.

A scenario is played in steps. In each one: what people do, a cycle of every account, all that is due is sent. Nothing
but the time between two steps is left out, so nothing sleeps.
"""

import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from guard import edit, parts
from guard.agentphone import Listing, UsageClient
from guard.cli.in_force import in_force
from guard.cli.situation import Situation, read_situation
from guard.cli.why import why
from guard.config import ChannelConfig
from guard.cycle import Cycles
from guard.family import Family
from guard.model import AlertKey, Answer, Endpoint, Failure, FailureKind
from guard.outbox.failing import note_failing
from guard.reload import Reload
from guard.rule_watch import Content, Edition, RuleWatch, judged, read
from guard.series import parse_series
from guard.store import View
from tests.builders import NOW
from tests.scenarios.claims import false_claim
from tests.scenarios.receivers import Bot, Mail, Receiver
from tests.subs import PassClock
from tests.wiring import NOWHERE

LEVELS = 'warning = "< 3"\ncritical = "< 2"\n'
LEFT = "numbers.remaining"
ABSENT = -1
IT = AlertKey("main", "it")
SECRETS = {"API_KEY": "key", "HOOK_URL": f"{NOWHERE}/services/T0/B0/x", "TOKEN": "xoxb-1-of-the-tests"}
CHANNELS = """
[channels.hook]
kind = "slack"
webhook_url = "${HOOK_URL}"
[channels.bot]
kind = "slack"
token = "${TOKEN}"
channel = "#ops"
[channels.mail]
kind = "email"
host = "localhost"
security = "none"
from = "guard@example.com"
to = ["ann@example.com", "bob@example.com"]
"""


def rule(lines: str = LEVELS, *, name: str = "it") -> str:
    """A rule over the numbers that are left, unless its lines say another value."""
    value = "" if "value =" in lines else f'value = "{LEFT}"\n'
    return f"[rules.{name}]\n{value}{lines}\n"


Act = Callable[["Stage"], Awaitable[object]]


@dataclass(frozen=True)
class Scene:
    """A timeline, and all that each channel may have got.

    `says` are the numbers left, step by step (`_` a poll that fails, -1 a field that makes no sense), or such series by
    `field` or `sub:field`, or of an agent's seconds, or the day of the month on which its period began.

    `told` is what a channel without threads shows: `3 critical, 5 resolved recovered`; from it follows what the others
    show, unless `bot`, `mail` or `bob` say otherwise: what comes after an incident's first message replies to it (`>`),
    and a bot shows escalations and reminders in the channel too (`!`). `edits` are those of the bot's messages.

    `why` is what `guard explain` says of the alert from that step on, while it fires or somebody has yet to hear of it,
    and nobody is told anything.
    """

    name: str
    says: str | Mapping[str, str]
    told: str = ""
    edits: str = ""
    rules: str = rule()
    acts: Mapping[int, Act | Sequence[Act]] = field(default_factory=dict)
    why: Mapping[int, str] = field(default_factory=dict)
    bot: str | None = None
    mail: str | None = None
    bob: str | None = None
    every: str = "1m"  # how long a step is
    remind: str = 'critical = "off", warning = "off"'
    account: str = ""
    more: str = ""  # of the rule file
    at: datetime = NOW
    about: AlertKey = IT

    @property
    def expected(self) -> dict[str, list[str]]:
        told = _items(self.told)
        mail = threaded(told) if self.mail is None else _items(self.mail)
        return {
            "hook": told,
            "bot": threaded(told, loud="!") if self.bot is None else _items(self.bot),
            "ann": mail,
            "bob": mail if self.bob is None else _items(self.bob),
            "edits": _items(self.edits),
        }


def _items(text: str) -> list[str]:
    return [each.strip() for each in text.split(",") if each.strip()]


def threaded(told: Sequence[str], *, loud: str = "") -> list[str]:
    """The same messages where those of an incident stand in one thread."""
    open_ones, items = set[str](), list[str]()
    for each in told:
        minute, mark, *rest = each.split()
        goes_on = mark in {"escalated", "reminder", "resolved"}
        name = next((word for word in rest if word.startswith(("r-", "guard.", "main:"))), "it")
        is_reply = goes_on and name in open_ones
        sign, end = (">" if is_reply else ""), (loud if is_reply and mark != "resolved" else "")
        items.append(f"{minute} {sign}{' '.join([mark, *rest])}{end}")
        if mark == "resolved":
            open_ones.discard(name)
        elif mark != "digest":
            open_ones.add(name)
    return items


class Api(UsageClient):
    """An API below HTTP that says what a scene says."""

    def __init__(self, stage: "Stage") -> None:
        self.stage = stage  # and no connections: to open some takes longer than a whole step

    async def usage(self, *, now: datetime, sub_id: str = "") -> Answer | Failure:
        values = self.stage.values(sub_id)
        if self.stage.refused is not None:
            return self.stage.refused
        if None in values.values():
            return Failure(FailureKind.SERVER, "the API answered 503")
        usage: dict[str, Any] = {"numbers": {"limit": 12}, "stats": {}}
        for name, value in values.items():
            if name == "period":
                usage |= {"periodStart": f"2026-11-{value:02.0f}T00:00:00Z", "periodEnd": "2026-12-20T00:00:00Z"}
            elif not name.startswith("agt_"):
                _put(usage, name.split("."), value)
        return Answer(usage, json.dumps(usage))

    async def sibling(self, endpoint: Endpoint, *, now: datetime, sub_id: str = "") -> Answer | Failure:
        rows = [
            {"agentId": name, "agentName": name, "messages": 0, "calls": 1, "totalSeconds": value, "isOrphan": False}
            for name, value in self.stage.values(sub_id).items()
            if name.startswith("agt_") and value != ABSENT
        ]
        month = {"periodStart": "2026-11-01T00:00:00.000Z", "periodEnd": "2026-12-01T00:00:00.000Z"}
        listing = {"data": rows, "period": "month", **month}
        return Answer(listing, json.dumps(listing))

    async def sub_accounts(self, *, now: datetime) -> Listing | Failure:
        return self.stage.listing or Listing(tuple(self.stage.subs), is_complete=True)

    def has_untried_key(self) -> bool:
        return False

    async def close(self) -> None: ...


def _put(tree: dict[str, Any], path: list[str], value: object) -> None:
    for name in path[:-1]:
        tree = tree.setdefault(name, {})
    tree[path[-1]] = value


@dataclass
class Stage:
    """One scene while it is played."""

    scene: Scene
    path: Path
    restarts: bool
    step: int = 0
    clock: PassClock = field(default_factory=PassClock)
    refused: Failure | None = None
    rules: str = ""
    channels: str = CHANNELS
    account: str = ""
    accounts: str = ""
    has_main: bool = True
    notify: tuple[str, ...] = ("hook", "bot", "mail")
    edition: Edition | None = None
    listing: Listing | Failure | None = (
        None  # what the API says who belongs to it, where that is not who says something
    )
    reasons: dict[int, str] = field(default_factory=dict)
    false: dict[int, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        says = {LEFT: self.scene.says} if isinstance(self.scene.says, str) else self.scene.says
        self.series = {name: parse_series(text) for name, text in says.items()}
        self.rules, self.account = self.scene.rules, self.scene.account
        self.clock = PassClock(self.scene.at)
        self.receivers: dict[str, Receiver] = {
            "hook": Receiver(lambda: self.step),
            "bot": Bot(lambda: self.step),
            "mail": Mail(lambda: self.step),
        }

    # --- what the world says

    @property
    def subs(self) -> list[str]:
        return sorted({name.partition(":")[0] for name in self.series if ":" in name})

    def values(self, sub_id: str) -> dict[str, float | None]:
        place = f"{sub_id}:" if sub_id else ""
        names = [name for name in self.series if (name.partition(":")[0] if ":" in name else "") == sub_id]
        found = {name.removeprefix(place): self.series[name][min(self.step, self.length - 1)] for name in names}
        return found or {LEFT: 9.0}

    @property
    def length(self) -> int:
        return min(map(len, self.series.values()))

    @property
    def text(self) -> str:
        """The rule file as it stands."""
        main = f'[accounts.main]\napi_key = "${{API_KEY}}"\nbase_url = "{NOWHERE}"\nevery = "{self.scene.every}"\n'
        defaults = f"[defaults]\nnotify = {json.dumps(self.notify)}\nremind = {{ {self.scene.remind} }}\n"
        main = main + self.account if self.has_main else ""
        return main + self.accounts + self.channels + defaults + self.scene.more + self.rules

    # --- the service

    async def play(self) -> dict[str, list[str]]:
        """Plays it to its end, and gives what everybody has seen."""
        stack = AsyncExitStack()
        await self._start(stack)
        for step in range(self.length):
            self.step = step
            acts = self.scene.acts.get(self.step, ())
            for act in acts if isinstance(acts, Sequence) else [acts]:
                await act(self)
            before = len(self._all_shown())
            await self._cycles()
            if self.restarts:
                await stack.aclose()
                stack = AsyncExitStack()
                await self._start(stack)
            else:  # with restarts there is nothing else to explain
                await self._explain(self._all_shown()[before:])
            self.clock.passes(self.parts.config.accounts[0].every.total_seconds())
        await stack.aclose()
        return {
            "hook": [what for _, what in self.receivers["hook"].shown],
            "bot": [what for _, what in self.receivers["bot"].shown],
            "ann": [what for whom, what in self.receivers["mail"].shown if whom.startswith("ann")],
            "bob": [what for whom, what in self.receivers["mail"].shown if whom.startswith("bob")],
            "edits": self.receivers["bot"].edited,
        }

    def _all_shown(self) -> list[str]:
        return [what for each in self.receivers.values() for _, what in each.shown]

    async def _start(self, stack: AsyncExitStack) -> None:
        edition = self.edition or self._edition()
        self.parts = await stack.enter_async_context(
            parts.open_parts(
                edition.config,
                database=str(self.path / "guard.db"),
                read_secret=SECRETS.get,
                clock=self.clock,
                text=edition.text,
            )
        )
        for family in self.parts.families:
            await family.remember()

    def _edition(self) -> Edition:
        self.file.write_text(self.text)
        edition = judged(read(self.file, SECRETS.get), self.file)
        assert isinstance(edition, Edition), edition
        self.edition = edition
        return edition

    @property
    def file(self) -> Path:
        return self.path / "rules.toml"

    async def _cycles(self) -> None:
        for family in self.parts.families:
            hear = partial(self._cycle, family, family.master)
            await hear()
            await family.restate(raised=partial(self.parts.outbox.storm.note, family.name))
            if not family.has_outage:
                await family.update()
                for cycles in family.subs:
                    await self._cycle(family, cycles, hear)
            self.parts.outbox.storm.end(family.name)
            await self.send()
        now = self.clock.now()
        await self.parts.store.run(lambda unit: note_failing(unit, self.parts.config, now=now))
        await self.send()

    async def _cycle(self, family: Family, cycles: Cycles, hear: Callable[[], Awaitable[None]] | None = None) -> None:
        await cycles.remember()
        raised = partial(self.parts.outbox.storm.note, family.name)
        await family.run(cycles, hear=hear or _nobody, jitter=1, raised=raised)
        await self.send()

    async def decide(self) -> None:
        """A cycle of every master account; nothing is sent."""
        for family in self.parts.families:
            await family.run(family.master, hear=_nobody, jitter=1)

    async def send(self) -> None:
        """Makes all attempts that are due."""
        for name in self.receivers:
            for _ in range(100):
                if not await self.parts.outbox.attempt(name):
                    break
            else:
                raise AssertionError("it never rests")

    async def reload(self) -> None:
        """An edit of the rule file takes effect."""
        watch = RuleWatch(self.file, SECRETS.get, Content(b""))
        reload = Reload(self.parts, watch)
        self._edition()
        await reload.look()
        object.__setattr__(self.clock, "moved_s", self.clock.monotonic_s() + 10)
        await reload.look()
        assert not reload.faults, reload.faults
        await self.send()

    # --- what `guard explain` says

    async def _explain(self, shown: Sequence[str]) -> None:
        it = await self.parts.store.run(self._situation)
        if it is None:
            return
        sentence = why(it)
        if claim := false_claim(sentence, it, {name: each.mood for name, each in self.receivers.items()}):
            self.false[self.step] = f"{sentence} [false: {claim}]"
        is_on = it.alert is not None and it.alert.incident is not None
        if not shown and (is_on or any(each.gap for each in it.targets)):
            self.reasons[self.step] = sentence

    def _situation(self, view: View) -> Situation | None:
        """All that bears on the alert; None before it was anything but at rest."""
        about = self.scene.about
        if about not in view.alerts(about.account):
            return None
        return read_situation(view, in_force(view, self.file), about, now=self.clock.now())

    def untrue(self) -> dict[int, str]:
        """The steps in which the reason that is given is not the one that the scene names, or cannot be true."""
        wrong = dict(self.false)
        for step, sentence in self.reasons.items():
            began = max((each for each in self.scene.why if each <= step), default=None)
            wanted = "everybody knows" if began is None else self.scene.why[began]
            if wanted not in sentence:
                wrong[step] = f"{sentence} [not: {wanted}]"
        return wrong


async def _nobody() -> None: ...


@asynccontextmanager
async def staged(scene: Scene, path: Path, *, restarts: bool) -> AsyncIterator[Stage]:
    """A stage on which all channels and the API are ours."""
    stage = Stage(scene, path, restarts)

    def notifier(channel: ChannelConfig, **_: object) -> Receiver:
        return stage.receivers[channel.name]

    with pytest.MonkeyPatch.context() as patch:
        for name, value in SECRETS.items():
            patch.setenv(name, value)
        for module in (parts, edit):
            patch.setattr(module, "notifier_for", notifier)
            patch.setattr(module, "client_for", lambda *_: Api(stage))
        yield stage


def told_as_promised(scenes: Iterable[Scene]) -> Callable[..., object]:
    """Decorates a test that plays each of the scenes, and in `make acceptance` with a restart at every step."""

    def decorate(test: Callable[..., object]) -> object:
        with_restarts = pytest.mark.parametrize(
            "restarts",
            [pytest.param(False, id="once"), pytest.param(True, id="restarts", marks=pytest.mark.acceptance)],
        )
        return with_restarts(
            pytest.mark.parametrize("scene", [pytest.param(each, id=each.name) for each in scenes])(test)
        )

    return decorate


async def plays(scene: Scene, path: Path, *, restarts: bool) -> None:
    """Plays a scene, and fails where anybody got anything else, or `guard explain` gives another reason."""
    async with staged(scene, path, restarts=restarts) as stage:
        seen, wanted = await stage.play(), scene.expected
        assert seen == wanted, f"seen {seen}, not {wanted}"
        assert not stage.untrue(), stage.untrue()
