"""All that bears on one alert: its rule on the last answer, what is stored of it, and who knows what."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, tzinfo
from typing import TYPE_CHECKING, Final

from guard.cli.built_in import BUILT_IN, built_in_policy
from guard.cli.hearing import NOTHING, Hearing, read_hearings
from guard.cli.in_force import InForce
from guard.cli.roll_off import Fall, falls
from guard.cli.seen import Seen, stored
from guard.lifecycle.desired import gap
from guard.lifecycle.mutes import Mutes
from guard.lifecycle.roster import GONE_AFTER
from guard.lifecycle.strait import Strait, strait
from guard.model import (
    CHANNEL_FAILING,
    STORE_FAILING,
    Account,
    Alert,
    AlertKey,
    CallKind,
    Delivery,
    DeliveryState,
    Level,
    Notification,
    Occasion,
    master_name,
)
from guard.rules.policy import Policy
from guard.rules.rule import Rule
from guard.rules.trace import Trace
from guard.units import instant_text

if TYPE_CHECKING:
    from guard.config import AccountConfig, Config
    from guard.config.things import SubAccounts
    from guard.store import View

_OPEN: Final = (DeliveryState.PENDING, DeliveryState.SENDING, DeliveryState.DEAD)


@dataclass(frozen=True, slots=True)
class Target:
    """One recipient of one channel, as to one alert."""

    channel: str
    recipient: str
    levels: tuple[Level, ...]  # of which it is told, ascending; empty where the rule file no longer leads there
    notification: Notification | None = None  # None before the first time that it should know
    deliveries: tuple[Delivery, ...] = ()  # pending, being sent, dead; oldest first
    before: Delivery | None = None  # one that may have arrived, which a channel that finds it is asked for first
    alone_until: datetime | None = None  # when what was tried in vain there is due; nothing is sent there before that

    @property
    def name(self) -> str:
        """The channel, with the recipient where that has a name."""
        return f"{self.channel} ({self.recipient})" if self.recipient else self.channel

    @property
    def gap(self) -> Occasion | None:
        """What it is yet to be told."""
        if self.notification is None or self.notification.desired is None:
            return None
        desired = replace(self.notification.desired, held=False) if self.is_begun else self.notification.desired
        return gap(desired, self.notification.notified)

    @property
    def is_held(self) -> bool:
        """Whether it is not told for now of what has not ended."""
        desired = self.notification.desired if self.notification else None
        return desired is not None and desired.held and not desired.ended

    @property
    def is_begun(self) -> bool:
        """Whether it is held back too late: a message of the same incident is under way, or may have arrived."""
        desired = self.notification.desired if self.notification else None
        if desired is None or not self.is_held:
            return False
        begun = (each for each in self.deliveries if _is_on_its_way(each) and each.call is not CallKind.EDIT)
        return any(cover.knowledge.incident_id == desired.incident_id for each in begun for cover in each.covers)


@dataclass(frozen=True, slots=True)
class Situation:
    """One alert, and all that decides whether somebody is told of it now."""

    key: AlertKey
    now: datetime
    tz: tzinfo
    file: InForce
    config: "AccountConfig | None"  # None where no good rule file watches the account
    rule: Rule | None  # None where it is built in, or not watched
    policy: Policy | None  # None where it is not watched
    unwatched: str  # why the rule file does not watch it; empty where it does
    unseen: str  # that the service has not taken up the rule yet; empty where it has, or nobody knows
    account: Account | None  # None before it was first asked
    master: Account | None
    alert: Alert | None  # None before it was first anything but at rest
    seen: Seen | None  # None before the first good answer
    trace: Trace | None  # None without a rule or without an answer
    falls: tuple[Fall, ...]  # of the rolling counters that the rule reads, as far as history suffices
    targets: tuple[Target, ...]
    hearing: Hearing = NOTHING  # what people asked to hear less of
    mutes: Mutes = Mutes()  # noqa: RUF009 - it is frozen
    strait: Strait | None = None  # how the channel does that it is about; None where it is about none
    raised: int = 0  # how many other alerts of the same pass the same channels are told of, or were just told of

    @property
    def is_readable(self) -> bool:
        """Whether there is a good rule file; else the service goes on with the last good one."""
        return self.file.config is not None

    @property
    def is_built_in(self) -> bool:
        """Whether it is no rule of the file."""
        return self.key.rule in BUILT_IN


def read_situation(view: "View", file: InForce, key: AlertKey, *, now: datetime) -> Situation:
    """Reads all of it. Nothing of it need be there."""
    config = file.config
    account = _slowest(view, config) if key.rule == STORE_FAILING else account_config(config, key.account)
    rule = next((each for each in account.rules if each.name == key.rule), None) if account else None
    policy = rule.policy if rule else built_in_policy(config, account, key)
    name, tz = account.name if account else key.account, account.tz if account else UTC
    seen = stored(view, account) if account else None
    targets = tuple(_targets(view, key, policy, now=now))
    alert = view.alerts(key.account).get(key)
    return Situation(
        key=key,
        now=now,
        tz=tz,
        file=file,
        config=account,
        rule=rule,
        policy=policy,
        unwatched=_unlisted(view, config, account) if policy else _unwatched(file, account, key, tz),
        unseen=_unseen(file, key, tz) if rule else "",
        account=view.account(name),
        master=view.account(master_name(name)),
        alert=alert,
        seen=seen,
        trace=seen.traced(rule, key.subject) if seen and rule else None,
        falls=falls(view, seen, rule) if seen and rule else (),
        targets=targets,
        hearing=read_hearings(view, [alert] if alert else [], now=now).get(key, NOTHING),
        mutes=view.mutes([], now=now),
        strait=_strait(view, key.subject, now=now) if key.rule == CHANNEL_FAILING else None,
        raised=_raised(view, key, targets, account) if account else 0,
    )


def _slowest(view: "View", config: "Config | None") -> "AccountConfig | None":
    """The master account whose last cycle was written longest ago, by its own interval; None without a rule file."""
    cycled = {each.name: view.account(each.name) for each in config.accounts} if config else {}

    def due_at(each: "AccountConfig") -> datetime:
        found = cycled[each.name]
        return found.cycled_at + each.every if found and found.cycled_at else datetime.min.replace(tzinfo=UTC)

    return min(config.accounts, key=due_at) if config else None


def _unseen(file: InForce, key: AlertKey, zone: tzinfo) -> str:
    """That the version in force has no such rule on this account, although the file as it stands has."""
    taken = account_config(file.taken, key.account)
    if file.is_broken or file.version is None or taken is None or any(each.name == key.rule for each in taken.rules):
        return ""
    goes_by = f"it goes by the version of {instant_text(file.version.at, zone)}"
    return f"the service has not taken up the rule yet; {goes_by}"


def _raised(view: "View", key: AlertKey, targets: Collection[Target], account: "AccountConfig") -> int:
    """How many other alerts of the account's family wait for the same recipients, or were told within an interval."""
    places = {(each.channel, each.recipient) for each in targets if each.gap and not each.deliveries}
    if not places or not (account.subs or account.sub_id):
        return 0
    last = view.account(account.name)
    since = (last.cycled_at if last and last.cycled_at else datetime.max.replace(tzinfo=UTC)) - account.every
    family = master_name(account.name)
    return sum(
        1
        for each in view.notifications()
        if each.key != key
        and master_name(each.key.account) == family
        and (each.channel, each.recipient) in places
        and (gap(each.desired, each.notified) or (each.notified_at is not None and each.notified_at >= since))
    )


def account_config(config: "Config | None", name: str) -> "AccountConfig | None":
    """How an account or sub-account of that name is watched; None where it is not."""
    found, master = (config.account(name), config.account(master_name(name))) if config else (None, None)
    if found and master and found.sub_id and master.subs and master.subs.ids is not None:
        return found if found.sub_id in master.subs.ids else None
    return found


def all_rules(config: "Config") -> dict[str, None]:
    """The names of all rules that are on some account or sub-account, and of those that are disabled, each once."""
    accounts = [*config.accounts, *(sub for each in config.accounts if each.subs for sub in _patterns(each.subs))]
    enabled = {rule.name: None for account in accounts for rule in account.rules}
    return enabled | {name: None for account in accounts for name in sorted(account.disabled)}


def _patterns(subs: "SubAccounts") -> "Iterator[AccountConfig]":
    yield from subs.own.values()
    yield subs.others


def _unwatched(file: InForce, account: "AccountConfig | None", key: AlertKey, zone: tzinfo) -> str:
    """Why the rule file does not watch an alert, of which it has no rule on its account."""
    from guard.rules.complaint import hint

    config, source = file.config, file.source(zone)
    if config is None:
        return f"{file.path} cannot be used, so nobody knows what is watched; `guard check` says why"
    masters = [each.name for each in config.accounts]
    if master_name(key.account) not in masters:
        return f"{source} has no account {master_name(key.account)!r}{hint(master_name(key.account), masters)}"
    if account is None:
        return f"{source} does not watch {key.account}; sub_accounts of {master_name(key.account)} says which it does"
    return _without_rule(config, account, key, source=source)


def _without_rule(config: "Config", account: "AccountConfig", key: AlertKey, *, source: str) -> str:
    from guard.rules.complaint import hint

    if key.rule in account.disabled:
        return f"the rule is disabled in {source} (enabled = false)"
    if new := next((each.name for each in account.rules if each.renamed_from == key.rule), ""):
        now_called = f"{replace(key, rule=new)}"
        return f"{key.rule} is called {new} now (renamed_from in {source}); `guard explain {now_called}` explains it"
    if key.rule in all_rules(config):
        return f"the rule is not for {key.account}; its accounts in {source} say for which it is"
    if key.rule == CHANNEL_FAILING and key.subject not in config.channels:
        return f"{source} has no channel {key.subject!r}{hint(key.subject, config.channels)}"
    if key.rule in BUILT_IN:
        return f"{key.rule} stands with {config.accounts[0].name}, the first account of {source}"
    return f"{source} has no rule {key.rule!r}{hint(key.rule, [*all_rules(config), *BUILT_IN])}"


def _unlisted(view: "View", config: "Config | None", account: "AccountConfig | None") -> str:
    """That a sub-account of all that there are is none of those, or no longer one; empty where it is one."""
    from guard.rules.complaint import hint

    if account is None or not account.sub_id or view.account(account.name):
        return ""
    master = master_name(account.name)
    of = account_config(config, master)
    if of is None or of.subs is None or of.subs.ids is not None:
        return ""  # the rule file lists it, whatever AgentPhone does
    ids = [each.id for each in view.sub_accounts(master)]
    if account.sub_id in ids:
        return ""
    if view.polls(account.name, count=1):
        return f"{account.name} is not watched any more, since {GONE_AFTER} listings in a row did not show it"
    return f"{master} never listed {account.sub_id!r}{hint(account.sub_id, ids)}"


def _targets(view: "View", key: AlertKey, policy: Policy | None, *, now: datetime) -> Iterator[Target]:
    """Who should be told by the rule file, and who was told or should be by what is stored, each once."""
    from guard.outbox.plan import is_edit, waits

    routed = dict(_routed(policy)) if policy else {}
    stored = {(each.channel, each.recipient): each for each in view.notifications(key.account) if each.key == key}
    every = view.deliveries(states=_OPEN)
    deliveries = [each for each in every if any(cover.key == key for cover in each.covers)]
    waiting = [each for each in every if each.state is DeliveryState.PENDING and not is_edit(each)]
    waiting = [each for each in waiting if waits(each, now=now)]
    doubtful = [each for each in every if not is_edit(each) and each.may_have_arrived and _is_on_its_way(each)]
    for channel, recipient in (*routed, *(each for each in stored if each not in routed)):
        yield Target(
            channel,
            recipient,
            levels=tuple(sorted(routed.get((channel, recipient), ()))),
            notification=stored.get((channel, recipient)),
            deliveries=tuple(each for each in deliveries if (each.channel, each.recipient) == (channel, recipient)),
            before=next((each for each in doubtful if (each.channel, each.recipient) == (channel, recipient)), None),
            alone_until=max(
                (each.due_at for each in waiting if (each.channel, each.recipient) == (channel, recipient)),
                default=None,
            ),
        )


def _is_on_its_way(delivery: Delivery) -> bool:
    is_doubted = delivery.state is DeliveryState.PENDING and delivery.may_have_arrived
    return is_doubted or delivery.state is DeliveryState.SENDING


def _strait(view: "View", channel: str, *, now: datetime) -> Strait:
    return strait(channel, view.deliveries(channel=channel, states=_OPEN), now=now)


def _routed(policy: Policy) -> Mapping[tuple[str, str], list[Level]]:
    found: dict[tuple[str, str], list[Level]] = {}
    for level, channels in policy.routes.items():
        for channel in channels:
            for recipient in policy.recipients.get(channel, ("",)):
                found.setdefault((channel, recipient), []).append(level)
    return found
