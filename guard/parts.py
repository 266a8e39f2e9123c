"""What a service is made of: store, families, notifiers and heartbeat of one rule file, opened and closed together."""

from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo
from functools import partial

from guard.agentphone import UsageClient
from guard.clock import Clock
from guard.config import AccountConfig, ChannelConfig, Config, recipients_of
from guard.cycle import retire_gone
from guard.errors import ConfigError
from guard.family import Family
from guard.logs import add_secret, log
from guard.model import SubAccount, master_name, sub_account_name
from guard.notify.channels import notifier_for
from guard.notify.heartbeat import Heartbeat
from guard.notify.notifier import Notifier
from guard.outbox import Outbox, Receiver, recover, value_past
from guard.reporting import compose_report
from guard.rule_version import note_valid, store_version
from guard.rule_watch import ReadSecret
from guard.store import Store, Unit

Closable = UsageClient | Notifier | Heartbeat


@dataclass(slots=True)
class Parts:
    """The open parts; notifiers are by channel name. Another edition of the rule file exchanges some of them."""

    config: Config
    store: Store
    families: tuple[Family, ...]  # one for each account of the rule file, in its order
    notifiers: Mapping[str, Notifier]
    outbox: Outbox
    heartbeat: Heartbeat | None
    clock: Clock
    read_secret: ReadSecret
    opened: list[Closable] = field(default_factory=list)  # what is closed at the end


@asynccontextmanager
async def open_parts(
    config: Config,
    *,
    database: str,
    read_secret: ReadSecret,
    clock: Clock,
    heartbeat_url: str | None = None,
    console_url: str = "",
    text: str | None = None,
) -> AsyncIterator[Parts]:
    """Opens everything, creating the database where there is none, and makes what is stored fit the rule file.

    `text` is that of the rule file, which is stored unless it was the last one to take effect. `console_url` is where
    people find the console; empty: nobody said.

    Raises StorageError, AlreadyRunningError or ConfigError when a part cannot be opened.
    """
    async with AsyncExitStack() as stack:
        store = await Store.open(database, create=True)
        stack.push_async_callback(store.close)
        if store.created:
            log.info("store.created", "a new database was created", path=database)
        opened: list[Closable] = []
        stack.push_async_callback(_close, opened)
        clients = dict[str, UsageClient]()
        for account in config.accounts:
            opened.append(client := client_for(account, read_secret))
            clients[account.name] = client
        notifiers = {name: notifier_for(channel, now=clock.now) for name, channel in config.channels.items()}
        heartbeat = Heartbeat(heartbeat_url) if heartbeat_url else None
        opened += [*notifiers.values(), *([heartbeat] if heartbeat else [])]
        await store.run(partial(_make_ready, config=config, notifiers=notifiers, text=text, now=clock.now()))
        families = tuple(Family(account, clients[account.name], store, clock) for account in config.accounts)
        outbox = Outbox(
            store,
            notifiers,
            zones_of(config),
            clock,
            report=partial(compose_report, config=config),
            past=partial(value_past, config=config),
            console_url=console_url,
        )
        yield Parts(config, store, families, notifiers, outbox, heartbeat, clock, read_secret, opened)


def client_for(account: AccountConfig, read_secret: ReadSecret) -> UsageClient:
    """What asks for an account and its sub-accounts; raises ConfigError where that cannot be."""
    read_key = partial(_read_key, account.api_key.variable, read_secret)
    return UsageClient(base_url=account.base_url, key=account.api_key.value, read_key=read_key)


def _read_key(variable: str, read_secret: ReadSecret) -> str | None:
    try:
        key = read_secret(variable)
    except ConfigError as fault:
        log.warning("key.unreadable", str(fault))
        return None
    if key:
        add_secret(key)
    return key


async def _close(opened: Iterable[Closable]) -> None:
    async with AsyncExitStack() as stack:  # whatever ails one, the others are closed too
        for each in opened:
            stack.push_async_callback(each.close)


def _make_ready(
    unit: Unit, *, config: Config, notifiers: Mapping[str, Notifier], text: str | None, now: datetime
) -> None:
    if text is not None:
        note_valid(unit, config, now=now)
        store_version(unit, config, text, now=now)
    retire_gone(unit, dict(watched_accounts(unit, config)), now=now)
    recover(unit, receivers_of(config, notifiers), now=now)


def receivers_of(config: Config, notifiers: Mapping[str, Notifier]) -> Mapping[str, Receiver]:
    """What the outbox has to know of each channel, by name."""
    return {name: _receiver(each, notifiers[name]) for name, each in config.channels.items()}


def watched_accounts(unit: Unit, config: Config) -> Iterator[tuple[str, AccountConfig]]:
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


def zones_of(config: Config) -> Callable[[str], tzinfo]:
    """Gives the zone of an account, or of a sub-account; UTC for one that is no longer watched."""
    zones = {account.name: account.tz for account in config.accounts}
    return lambda account: zones.get(master_name(account), UTC)
