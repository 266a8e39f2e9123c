"""The rule file while the service runs: an edit takes effect at once and whole, or not at all."""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Final

from guard.config import Config, secrets_of
from guard.cycle import AccountGoneError, Cycles, log_decision
from guard.edit import Edit
from guard.errors import ConfigError, StorageError
from guard.logs import add_secret, log, redact
from guard.model import master_name
from guard.parts import Closable, Parts
from guard.rule_version import note_invalid, note_valid
from guard.rule_watch import Edition, Refused, RuleWatch, judged
from guard.store import RuleFile

CLOSE_AFTER_S: Final = 60.0  # whoever is being asked, or told, on the old way has ended by then


@dataclass(slots=True)
class Reload:
    """Watches one rule file for a service, whose parts change in place when another version of it takes effect."""

    parts: Parts
    watch: RuleWatch
    changed: Callable[[], object] = lambda: None  # called each time, before anything is decided under the new rules
    faults: Refused = ()  # of the file as it stands, where it cannot be used; for people, without secrets
    _may_flap: bool = True  # whether guard.config_invalid is perhaps to be found stable
    _closing: list[tuple[float, Closable]] = field(default_factory=list)  # when, on the monotonic clock

    def is_due(self) -> bool:
        """Whether to look at the file again."""
        return self.watch.is_due(self.parts.clock.monotonic_s())

    async def look(self) -> None:
        """Looks at the file, and does what is to be done about it.

        Raises StorageError when that could not be written down; then nothing has changed, and the next look tries it
        again.
        """
        await self._close_old()
        content = await self.watch.look(self.parts.clock.monotonic_s())
        if content is None:
            await self._tell()  # a reminder may be due
            return
        verdict = await asyncio.to_thread(judged, content, self.watch.path)
        if isinstance(verdict, Edition):
            verdict = await self._take_over(verdict)
        if verdict:
            self._refuse(verdict)
            await self._tell()
        self.watch.settle(content)

    def _refuse(self, faults: Sequence[str]) -> None:
        clean = tuple(map(redact, faults))
        if clean != self.faults:
            text = "the rule file cannot be used; the last good one stays in force"
            log.error("rules.invalid", f"{text}: {clean[0]}", faults=len(clean))
        self.faults = clean

    async def _tell(self) -> None:
        config, now = self.parts.config, self.parts.clock.now()
        if self.faults:
            decisions = [await self.parts.store.run(partial(note_invalid, config=config, faults=self.faults, now=now))]
        elif self._may_flap:
            decisions = await self.parts.store.run(partial(note_valid, config=config, now=now))
        else:
            return
        self._may_flap = any(alert.flapping for decision in decisions for alert in decision.alerts)

    async def _take_over(self, edition: Edition) -> Refused:
        """Puts an edition in force; gives why it cannot be, if it cannot."""
        for secret in _secrets_in(edition.config):
            add_secret(secret)
        edit = Edit(self.parts, edition)
        try:
            edit.open()
            async with edit.quiet():
                version, members = await self.parts.store.run(partial(edit.write, now=self.parts.clock.now()))
                # A crash here starts with the new rules, which are stored.
                affected, old = edit.exchange(members)
        except StorageError:
            await edit.undo()
            raise
        except ConfigError as fault:
            await edit.undo()
            return (str(fault),)
        except Exception as fault:  # noqa: BLE001 - a defect of ours must be told, and not be tried every five seconds
            await edit.undo()
            log.error("rules.unplanned", "an edit of the rule file could not be taken over", exc=fault)
            return (f"{self.watch.path} cannot be taken over: {type(fault).__name__}",)
        until_s = self.parts.clock.monotonic_s() + CLOSE_AFTER_S
        self._closing += [(until_s, each) for each in old]
        self._log(edition, version)
        self.faults, self._may_flap = (), True
        self.changed()
        await self._reconsider(affected)
        return ()

    def _log(self, edition: Edition, version: RuleFile | None) -> None:
        for warning in edition.warnings:
            log.warning("rules.warning", warning)
        if version is None:
            log.info("rules.unchanged", "the rule file can be used again, and says what it said before")
            return
        log.info("rules.reloaded", "an edit of the rule file took effect", changes=len(version.changes))
        for change in version.changes:
            log.info("rules.changed", change)

    async def _reconsider(self, affected: Iterable[Cycles]) -> None:
        """Decides once more on the last answer of each account; where that cannot be, its next cycle does."""
        for cycles in affected:
            before = cycles.account
            raised = partial(self.parts.outbox.storm.note, master_name(before.name))
            with suppress(StorageError, AccountGoneError):
                await cycles.remember()  # so that whoever is asked on another way from now on is asked at once
                if decision := await cycles.reconsider(raised=raised):
                    log_decision(before, decision)

    async def _close_old(self) -> None:
        now_s = self.parts.clock.monotonic_s()
        due = [each for until_s, each in self._closing if until_s <= now_s]
        self._closing = [(until_s, each) for until_s, each in self._closing if until_s > now_s]
        for each in due:
            self.parts.opened.remove(each)
            await each.close()


def _secrets_in(config: Config) -> Iterable[str]:
    for thing in (*config.accounts, *config.channels.values()):
        yield from (each.value for each in secrets_of(thing))
