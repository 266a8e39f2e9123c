"""The demo: the real service against the sandbox, on one clock that runs fast, told on the terminal."""

import asyncio
import signal
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from shutil import get_terminal_size
from tempfile import TemporaryDirectory
from typing import Final, TextIO

from rich.console import Console

from guard.clock import Clock
from guard.config import Config, Secret, TerminalConfig, load
from guard.errors import ConfigError, ExitCode, GuardError
from guard.model import EventKind, State
from guard.notify.notifier import Call, Outcome, Sent
from guard.notify.terminal import TerminalNotifier
from guard.parts import Parts, open_parts
from guard.sandbox.server import Sandbox
from guard.service import Service
from guard.store import Unit
from guard.units import counted, duration_text

_KEY: Final = "demo-key"
_LOOK_EVERY_S: Final = 0.2  # real seconds
_PATIENCE: Final = 1.7  # how many times the story's length may pass until all is told
_SHOWN: Final = (EventKind.FIRED, EventKind.ESCALATED, EventKind.RESOLVED)
_MOST_EVENTS: Final = 10_000


@dataclass(slots=True)
class NowLine:
    """One line at the bottom of a terminal that says what the present numbers are; nothing where none can be erased."""

    stream: TextIO

    def show(self, at: datetime, values: Mapping[str, int | None]) -> None:
        """Replaces the line."""
        if self._is_erasable:
            numbers = "".join(f" · {name} {'?' if value is None else value}" for name, value in values.items())
            line = f" {at:%H:%M %Z}{numbers}"[: get_terminal_size().columns - 1]  # one that wraps cannot be erased
            self._write(f"\r\x1b[2K{line}")

    def erase(self) -> None:
        """Makes room for what is printed next."""
        if self._is_erasable:
            self._write("\r\x1b[2K")

    @property
    def _is_erasable(self) -> bool:
        return self.stream.isatty() and not Console(file=self.stream).is_dumb_terminal

    def _write(self, text: str) -> None:
        with suppress(OSError):  # a terminal that is gone is noticed with the next message
            self.stream.write(text)
            self.stream.flush()


class _Terminal(TerminalNotifier):
    """The terminal, whose last line makes room for each message; when it is gone, so is the reason to go on."""

    def __init__(self, name: str, *, line: NowLine, clock: Clock, stop: asyncio.Event) -> None:
        super().__init__(name, stream=line.stream, now=clock.now)
        self._line = line
        self._stop = stop

    async def deliver(self, call: Call, *, key: str) -> Outcome:
        self._line.erase()
        outcome = await super().deliver(call, key=key)
        if not self.is_gone:
            return outcome
        self._stop.set()
        return Sent()  # to nobody: who left, as `head` does, is not to be told again, nor of that in the log


@dataclass(frozen=True, slots=True)
class _Tally:
    """What has happened so far."""

    events: Counter[EventKind]
    at_rest: bool  # nothing fires, and every channel was told all

    @property
    def is_whole(self) -> bool:
        """Whether it showed what it is for."""
        return self.at_rest and all(self.events[kind] for kind in _SHOWN)

    def __str__(self) -> str:
        fired, escalated, resolved = (self.events[kind] for kind in _SHOWN)
        messages = self.events[EventKind.DELIVERED]
        told = counted(messages, "message")
        return f"{fired} fired, {escalated} escalated, {resolved} resolved; {told}"


async def run_demo(rules: str, *, speed: float, stream: TextIO) -> ExitCode:
    """Plays the story `demo` once, from its beginning to the last message, and says what is seen on `stream`.

    `rules` is the text of a rule file, of which everything counts but where its account is and how its channels are
    reached. Nothing else is read, and nothing is left behind. SIGINT, SIGTERM, SIGHUP and a stream that is gone end it
    early, which is no error.

    Raises GuardError when no alert fired, escalated and was resolved.
    """
    line = NowLine(stream)
    stop = asyncio.Event()
    clock = Clock(speed)
    async with Sandbox(scenario="demo", key=_KEY, now=clock.now) as sandbox:
        with _stopped_by_signals(stop):
            _introduce(sandbox, speed=speed, stream=stream)
            async with _open(_config(rules, sandbox), clock=clock, line=line, stop=stop) as parts:
                tally = await _play(parts, sandbox, stop=stop, line=line)
    line.erase()
    if stop.is_set():
        with suppress(OSError):  # it is gone, perhaps
            print(f"Ended early: {tally}.", file=stream)
    elif not tally.is_whole:
        raise GuardError(f"the demo did not show what it should: {tally}; please report this")
    else:
        print(f"That is all: {tally}. Next: guard init", file=stream)
    return ExitCode.DONE


def _introduce(sandbox: Sandbox, *, speed: float, stream: TextIO) -> None:
    story = sandbox.scenario
    takes = duration_text(story.length / speed)
    print(f"The real service watches a pretend AgentPhone on this machine, {speed:g} times as fast.", file=stream)
    print(f"The story: {story.about}.", file=stream)
    print(f"You see the messages as they would read in Slack. It takes {takes}; Ctrl-C ends it.\n", file=stream)
    stream.flush()


def _config(rules: str, sandbox: Sandbox) -> Config:
    """The rule file with its account in the sandbox, and every channel on the terminal."""
    loaded = load(rules, path="rules.example.toml", secret=lambda _: None)
    if loaded.config is None:
        raise ConfigError("\n".join(["the example rule file has errors", *map(str, loaded.problems)]))
    key = Secret("DEMO_KEY", _KEY)
    return replace(
        loaded.config,
        accounts=tuple(replace(each, base_url=sandbox.base_url, api_key=key) for each in loaded.config.accounts),
        channels={name: TerminalConfig(name, fingerprint="demo") for name in loaded.config.channels},
    )


@asynccontextmanager
async def _open(config: Config, *, clock: Clock, line: NowLine, stop: asyncio.Event) -> AsyncIterator[Parts]:
    """The parts of a service with a database that is gone afterwards, and channels that show the clock's own time."""
    async with AsyncExitStack() as stack:
        directory = stack.enter_context(TemporaryDirectory(prefix="quota-guard-demo-"))
        database = str(Path(directory) / "guard.db")
        parts = await stack.enter_async_context(
            open_parts(config, database=database, read_secret=lambda _: None, clock=clock)
        )
        terminals = {name: _Terminal(name, line=line, clock=clock, stop=stop) for name in config.channels}
        yield replace(parts, notifiers=terminals, outbox=replace(parts.outbox, notifiers=terminals))


async def _play(parts: Parts, sandbox: Sandbox, *, stop: asyncio.Event, line: NowLine) -> _Tally:
    """Runs the service until the story is over and told, or it is stopped, or takes far too long."""
    length, started_at = sandbox.scenario.length, parts.clock.now()
    halt = asyncio.Event()
    service = asyncio.ensure_future(Service(parts).run(halt))
    stopping = asyncio.ensure_future(stop.wait())
    try:
        while not (service.done() or stopping.done()):
            elapsed = parts.clock.now() - started_at
            if elapsed >= length and (elapsed >= _PATIENCE * length or (await _tally(parts)).at_rest):
                break
            line.show(parts.clock.now(), sandbox.scenario.values_at(elapsed))
            await asyncio.wait({service, stopping}, timeout=_LOOK_EVERY_S, return_when=asyncio.FIRST_COMPLETED)
    finally:
        stopping.cancel()
        halt.set()
        await service
    return await _tally(parts)


async def _tally(parts: Parts) -> _Tally:
    def work(unit: Unit) -> _Tally:
        events = Counter(event.kind for event in unit.events(limit=_MOST_EVENTS))
        firing = any(alert.state is not State.OK for alert in unit.alerts().values())
        waiting = any(unit.waiting(channel) for channel in parts.notifiers)
        return _Tally(events, at_rest=not (firing or waiting))

    return await parts.store.run(work)


@contextmanager
def _stopped_by_signals(stop: asyncio.Event) -> Iterator[None]:
    loop = asyncio.get_running_loop()
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)  # the last one: the terminal's window was closed
    for number in numbers:
        loop.add_signal_handler(number, stop.set)
    try:
        yield
    finally:
        for number in numbers:
            loop.remove_signal_handler(number)
