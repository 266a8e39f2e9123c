"""What people do in a scenario, and what happens to channels, to the API and to the clock."""

from collections.abc import Callable
from datetime import timedelta

from guard.agentphone import Listing
from guard.model import Ack, Failure, FailureKind, Level, Silence
from guard.outbox import revive
from guard.store import Unit
from guard.store.outside import write_outside
from tests.scenarios.receivers import Mood
from tests.scenarios.stage import IT, Act, Stage


def silence(pattern: str = "main/it", *, steps: float = 5, below: Level | None = None, **labels: str) -> Act:
    """A silence from now on, for so many steps."""

    async def act(stage: Stage) -> None:
        now = stage.clock.now()
        ends_at = now + steps * stage.parts.config.accounts[0].every
        wanted = Silence(pattern, now, ends_at, labels, below, reason="an upgrade", by="ann")
        write_outside(stage.path / "guard.db", lambda unit: unit.add_silence(wanted))

    return act


def silence_ends(number: int = 1) -> Act:
    async def act(stage: Stage) -> None:
        now = stage.clock.now()
        write_outside(stage.path / "guard.db", lambda unit: unit.end_silence(number, now=now))

    return act


def ack(*, steps: float | None = None) -> Act:
    """Somebody acknowledges what fires, for so many steps or for good."""

    async def act(stage: Stage) -> None:
        now = stage.clock.now()
        until_at = now + steps * stage.parts.config.accounts[0].every if steps else None

        def work(unit: Unit) -> None:
            incident = unit.alerts("main")[IT].incident
            assert incident is not None
            unit.add_ack(Ack(incident.id, incident.peak, now, "bob", until_at=until_at))

        write_outside(stage.path / "guard.db", work)

    return act


def unack() -> Act:
    async def act(stage: Stage) -> None:
        now = stage.clock.now()

        def work(unit: Unit) -> None:
            incident = unit.alerts("main")[IT].incident
            assert incident is not None
            unit.end_acks(incident.id, now=now)

        write_outside(stage.path / "guard.db", work)

    return act


def turns(mood: Mood, *names: str) -> Act:
    """Channels begin to behave so."""

    async def act(stage: Stage) -> None:
        for name in names or stage.receivers:
            stage.receivers[name].mood = mood

    return act


def edits(
    *,
    rules: str | None = None,
    channels: Callable[[str], str] | None = None,
    others: str | None = None,
    has_main: bool = True,
    notify: tuple[str, ...] | None = None,
) -> Act:
    """Somebody edits the rule file, and it takes effect."""

    async def act(stage: Stage) -> None:
        stage.rules = stage.rules if rules is None else rules
        stage.accounts, stage.has_main = stage.accounts if others is None else others, has_main
        stage.notify = notify or stage.notify
        stage.channels = channels(stage.channels) if channels else stage.channels
        await stage.reload()

    return act


def jumps(**duration: float) -> Act:
    """The wall clock is set."""

    async def act(stage: Stage) -> None:
        stage.clock.move(**duration)

    return act


def later(duration: timedelta) -> Act:
    """So much time passes in which nothing runs."""

    async def act(stage: Stage) -> None:
        stage.clock.passes(duration.total_seconds())

    return act


def in_flight(name: str, *acts: Act) -> Act:
    """While the next call to a channel is under way these things happen, and a cycle of every account."""

    async def act(stage: Stage) -> None:
        async def meanwhile() -> None:
            for each in acts:
                await each(stage)
            await stage.decide()

        stage.receivers[name].meanwhile = meanwhile

    return act


def refuses(recipient: str) -> Act:
    """The mail server refuses one address for good."""

    async def act(stage: Stage) -> None:
        stage.receivers["mail"].refuses.add(recipient)

    return act


def takes_all() -> Act:
    """The mail server takes every address again."""

    async def act(stage: Stage) -> None:
        stage.receivers["mail"].refuses.clear()

    return act


def key_is(*, refused: bool) -> Act:
    """The API refuses the key from now on, or takes it again."""

    async def act(stage: Stage) -> None:
        stage.refused = Failure(FailureKind.UNAUTHORIZED, "the API answered 401") if refused else None

    return act


def lists(*ids: str, is_complete: bool = True) -> Act:
    """The API lists these sub-accounts from now on, whoever there is."""

    async def act(stage: Stage) -> None:
        stage.listing = Listing(ids, is_complete=is_complete)

    return act


def unlisted() -> Act:
    """The API gives no listing from now on."""

    async def act(stage: Stage) -> None:
        stage.listing = Failure(FailureKind.SERVER, "the API answered 503")

    return act


def account_is(lines: str) -> Act:
    """Somebody edits the account's part of the rule file, and it takes effect."""

    async def act(stage: Stage) -> None:
        stage.account = lines
        await stage.reload()

    return act


def deletes_messages() -> Act:
    """Somebody deletes all that the bot wrote."""

    async def act(stage: Stage) -> None:
        bot = stage.receivers["bot"]
        bot.deleted |= set(bot.receipts.values())

    return act


def revives(channel: str) -> Act:
    """What `guard send-test` does for a channel that works again."""

    async def act(stage: Stage) -> None:
        write_outside(stage.path / "guard.db", lambda unit: revive(unit, channel))

    return act
