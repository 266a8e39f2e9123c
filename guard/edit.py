"""One edit of the rule file: opens what it wants anew, writes what it ends, and exchanges the parts of a service."""

from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial

from guard.agentphone import UsageClient
from guard.config import AccountConfig
from guard.cycle import Cycles, retire_gone
from guard.family import Family
from guard.model import SubAccount, sub_account_name
from guard.notify.channels import notifier_for
from guard.notify.notifier import Notifier
from guard.outbox import readdress, value_past
from guard.parts import Closable, Parts, client_for, receivers_of, watched_accounts, zones_of
from guard.reporting import compose_report
from guard.rule_version import note_valid, store_version
from guard.rule_watch import Edition
from guard.store import RuleFile, Unit

Members = Mapping[str, list[SubAccount]]
"""The sub-accounts of each master account, as they are stored."""


@dataclass(slots=True)
class Edit:
    """The step from the parts in force to those that an edition wants; what did not change goes on as it is."""

    parts: Parts
    edition: Edition
    _clients: dict[str, UsageClient] = field(default_factory=dict)  # new ones, by account
    _notifiers: dict[str, Notifier] = field(default_factory=dict)  # new ones, by channel

    def open(self) -> None:
        """Opens what is new or changed; raises ConfigError where that cannot be."""
        before = {account.name: account for account in self.parts.config.accounts}
        for account in self.edition.config.accounts:
            if _way(before.get(account.name)) != _way(account):
                self._clients[account.name] = client = client_for(account, self.parts.read_secret)
                self.parts.opened.append(client)
        for name, channel in self.edition.config.channels.items():
            if self.parts.config.channels.get(name) != channel:
                self._notifiers[name] = notifier = notifier_for(channel, now=self.parts.clock.now)
                self.parts.opened.append(notifier)

    async def undo(self) -> None:
        """Closes what `open` has opened."""
        opened: list[Closable] = [*self._clients.values(), *self._notifiers.values()]
        for each in opened:
            self.parts.opened.remove(each)
            await each.close()

    @asynccontextmanager
    async def quiet(self) -> AsyncIterator[None]:
        """Within, no channel that changes or goes is sending, and no account that does so decides anything.

        No channel at all is sending where a rule gets another name. An account is asked meanwhile all the same: what
        it answers is decided on as the new edition says. Raises StorageError where a channel's last outcome cannot be
        written down.
        """
        async with AsyncExitStack() as held:
            renames = self._renames()
            for name, channel in self.parts.config.channels.items():
                if renames or self.edition.config.channels.get(name) != channel:
                    await held.enter_async_context(self.parts.outbox.quiet(name))
            wanted = {account.name: account for account in self.edition.config.accounts}
            for family in self.parts.families:
                if wanted.get(family.name) != family.config:
                    await held.enter_async_context(family.master.writing())  # from here on no listing brings anybody
                    for cycles in family.subs:
                        await held.enter_async_context(cycles.writing())
            yield

    def _renames(self) -> bool:
        """Whether a rule gets another name: what is being sent of it would be written down under the one before."""
        former = {rule.name for account in self.parts.config.patterns for rule in account.rules}
        return any(former.intersection(account.former) for account in self.edition.config.patterns)

    def write(self, unit: Unit, *, now: datetime) -> tuple[RuleFile | None, Members]:
        """Writes all that it means for what is stored; gives its version, if it is one, and who is watched from now on.

        To be called within `quiet`.
        """
        config = self.edition.config
        note_valid(unit, self.parts.config, now=now)
        version = store_version(unit, config, self.edition.text, now=now, before=self.parts.config)
        retire_gone(unit, dict(watched_accounts(unit, config)), now=now)
        readdress(unit, receivers_of(config, self._all_notifiers()), now=now)
        members = {each.name: unit.sub_accounts(each.name) if each.subs else [] for each in config.accounts}
        for name in self._clients:
            _ask_at_once(unit, name, members[name], now=now)
        return version, members

    def exchange(self, members: Members) -> tuple[list[Cycles], list[Closable]]:
        """Exchanges the parts; gives the cycles whose account changed, and what is no longer needed.

        To be called within `quiet`, after what `write` does was committed.
        """
        parts, config = self.parts, self.edition.config
        affected, old = list[Cycles](), list[Closable]()
        before, families = {family.name: family for family in parts.families}, list[Family]()
        for account in config.accounts:
            family = before.pop(account.name, None)
            if family is None:
                family = Family(account, self._clients[account.name], parts.store, parts.clock)
                family.adopt(account, family.client, members[account.name])
            elif family.config != account:
                old += [family.client] if account.name in self._clients else []
                client = self._clients.get(account.name, family.client)
                affected += family.adopt(account, client, members[account.name])
            families.append(family)
        for family in before.values():
            family.end()
            old.append(family.client)
        notifiers = self._all_notifiers()
        old += [each for name, each in parts.notifiers.items() if notifiers.get(name) is not each]
        parts.config, parts.families, parts.notifiers = config, tuple(families), notifiers
        parts.outbox.notifiers, parts.outbox.zone_of = notifiers, zones_of(config)
        parts.outbox.report = partial(compose_report, config=config)
        parts.outbox.past = partial(value_past, config=config)
        return affected, old

    def _all_notifiers(self) -> dict[str, Notifier]:
        known = self.parts.notifiers
        return {name: self._notifiers.get(name) or known[name] for name in self.edition.config.channels}


def _ask_at_once(unit: Unit, master: str, members: Iterable[SubAccount], *, now: datetime) -> None:
    """Forgets what an account and its sub-accounts were to wait for: that was another address's wish, or another key's.

    The sub-accounts are asked when their turn comes.
    """
    if account := unit.account(master):
        unit.save_account(replace(account, ask_at=now))
    for each in members:
        account = unit.account(sub_account_name(master, each.id))
        if account and account.ask_at:
            unit.save_account(replace(account, ask_at=None))


def _way(account: AccountConfig | None) -> tuple[object, ...]:
    """What its client is made of."""
    return () if account is None else (account.base_url, account.api_key)
