"""What a service is made of: store, clients, notifiers and heartbeat of one rule file, opened and closed together."""

from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, tzinfo
from functools import partial

from guard.agentphone import UsageClient
from guard.clock import Clock
from guard.config import Config, Secret
from guard.cycle import retire_gone
from guard.errors import ConfigError
from guard.logs import add_secret, log
from guard.notify.channels import notifier_for
from guard.notify.heartbeat import Heartbeat
from guard.notify.notifier import Notifier
from guard.outbox import Outbox, recover
from guard.store import Store, Unit

ReadSecret = Callable[[str], str | None]
"""Gives the present value of a variable, or of the file it names; may raise ConfigError."""


@dataclass(frozen=True, slots=True)
class Parts:
    """The open parts; clients are by account name, notifiers by channel name."""

    config: Config
    store: Store
    clients: Mapping[str, UsageClient]
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
        await store.run(partial(_make_ready, config=config, clock=clock))
        outbox = Outbox(store, notifiers, _zones(config), clock)
        yield Parts(config, store, clients, notifiers, outbox, heartbeat, clock)


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


def _make_ready(unit: Unit, *, config: Config, clock: Clock) -> None:
    now = clock.now()
    retire_gone(unit, {account.name: account for account in config.accounts}, now=now)
    recover(unit, {name: channel.fingerprint for name, channel in config.channels.items()}, now=now)


def _zones(config: Config) -> Callable[[str], tzinfo]:
    zones = {account.name: account.tz for account in config.accounts}
    return lambda account: zones.get(account, UTC)
