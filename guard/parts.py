"""What a service is made of: store, families, notifiers and heartbeat of one rule file, opened and closed together."""

from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from functools import partial

from guard.agentphone import UsageClient
from guard.clock import Clock
from guard.config import AccountConfig, ChannelConfig, Config, Secret, recipients_of
from guard.cycle import retire_gone
from guard.errors import ConfigError
from guard.family import Family
from guard.logs import add_secret, log
from guard.model import SubAccount, master_name, sub_account_name
from guard.notify.channels import notifier_for
from guard.notify.heartbeat import Heartbeat
from guard.notify.notifier import Notifier
from guard.outbox import Outbox, Receiver, recover
from guard.store import Store, Unit

ReadSecret = Callable[[str], str | None]
"""Gives the present value of a variable, or of the file it names; may raise ConfigError."""


@dataclass(frozen=True, slots=True)
class Parts:
    """The open parts; notifiers are by channel name."""

    config: Config
    store: Store
    families: tuple[Family, ...]  # one for each account of the rule file, in its order
    notifiers: Mapping[str, Notifier]
    outbox: Outbox
    heartbeat: Heartbeat | None
    clock: Clock


@asynccontextmanager
async def open_parts(
    config: Config, *, database: str, read_secret: ReadSecret, clock: Clock, heartbeat_url: str | None = None
) -> AsyncIterator[Parts]:
    """Opens everything, creating the database where there is none, and makes what is stored fit the rule file.

    Raises StorageError, AlreadyRunningError or ConfigError when a part cannot be opened.
    """
    async with AsyncExitStack() as stack:
        store = await Store.open(database, create=True)
        stack.push_async_callback(store.close)
        if store.created:
            log.info("store.created", "a new database was created", path=database)
        clients = {account.name: _client(account.base_url, account.api_key, read_secret) for account in config.accounts}
        notifiers = {name: notifier_for(channel, now=clock.now) for name, channel in config.channels.items()}
        heartbeat = Heartbeat(heartbeat_url) if heartbeat_url else None
        _close_later(stack, [*clients.values(), *notifiers.values(), *([heartbeat] if heartbeat else [])])
        await store.run(partial(_make_ready, config=config, notifiers=notifiers, now=clock.now()))
        families = tuple(Family(account, clients[account.name], store, clock) for account in config.accounts)
        outbox = Outbox(store, notifiers, _zones(config), clock)
        yield Parts(config, store, families, notifiers, outbox, heartbeat, clock)


def _client(base_url: str, api_key: Secret, read_secret: ReadSecret) -> UsageClient:
    return UsageClient(base_url=base_url, key=api_key.value, read_key=partial(_read_key, api_key.variable, read_secret))


def _read_key(variable: str, read_secret: ReadSecret) -> str | None:
    try:
        key = read_secret(variable)
    except ConfigError as fault:
        log.warning("key.unreadable", str(fault))
        return None
    if key:
        add_secret(key)
    return key


def _close_later(stack: AsyncExitStack, parts: Iterable[UsageClient | Notifier | Heartbeat]) -> None:
    for part in parts:
        stack.push_async_callback(part.close)


def _make_ready(unit: Unit, *, config: Config, notifiers: Mapping[str, Notifier], now: datetime) -> None:
    retire_gone(unit, dict(_accounts(unit, config)), now=now)
    recover(unit, {name: _receiver(each, notifiers[name]) for name, each in config.channels.items()}, now=now)


def _accounts(unit: Unit, config: Config) -> Iterator[tuple[str, AccountConfig]]:
    """All accounts that are watched, by name, with the sub-accounts as far as they are known."""
    for account in config.accounts:
        yield account.name, account
        subs, known = account.subs, unit.sub_accounts(account.name)
        if subs is None or subs.ids is not None:
            known = _listed(unit, account, known)
        if subs is not None:
            yield from ((sub_account_name(account.name, each.id), subs.config(each.id)) for each in known)


def _listed(unit: Unit, account: AccountConfig, known: Iterable[SubAccount]) -> list[SubAccount]:
    """The sub-accounts of an account whose listing is not asked for: those that the rule file lists, if any.

    They are stored all the same: where it says "all" the next time, they are the same ones still.
    """
    ids = account.subs.ids or () if account.subs else ()
    listed = [SubAccount(account.name, each) for each in ids]
    unit.delete_sub_accounts(known)
    unit.save_sub_accounts(listed)
    return listed


def _receiver(channel: ChannelConfig, notifier: Notifier) -> Receiver:
    return Receiver(channel.fingerprint, recipients_of(channel), finds=notifier.finds)


def _zones(config: Config) -> Callable[[str], tzinfo]:
    zones = {account.name: account.tz for account in config.accounts}
    return lambda account: zones.get(master_name(account), UTC)
