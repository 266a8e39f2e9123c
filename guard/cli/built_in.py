"""The rules that are built in, as `guard explain` speaks of them: what each is for, and which alert its name means."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from guard.errors import UsageError
from guard.lifecycle.strait import BEHIND_AFTER
from guard.model import CHANNEL_FAILING, CONFIG_INVALID, NO_DATA, STORE_FAILING, AlertKey, Level, is_sub_account
from guard.rules.policy import Policy, Remind
from guard.units import duration_text

if TYPE_CHECKING:
    from guard.cli.situation import Situation
    from guard.config import AccountConfig, Config

BUILT_IN: Final = (NO_DATA, CONFIG_INVALID, CHANNEL_FAILING, STORE_FAILING)


def built_in_key(config: "Config | None", rule: str) -> AlertKey:
    """The alert that the name of a built-in rule means by itself.

    Raises UsageError where there is one for each of several accounts, or where nothing says which accounts there are.
    """
    if rule == STORE_FAILING:
        return AlertKey("", rule)
    names = [each.name for each in config.accounts] if config else []
    if rule == CHANNEL_FAILING:
        such = [f"{names[0]}/{rule}/{each}" for each in config.channels] if config else [f"ACCOUNT/{rule}/CHANNEL"]
        raise UsageError(f"there is one {rule} for each channel; write {' or '.join(such[:3])}")
    if rule == CONFIG_INVALID and names:
        return AlertKey(names[0], rule)
    if len(names) == 1:
        return AlertKey(names[0], rule)
    which = " or ".join(f"{each}/{rule}" for each in names[:3]) or f"ACCOUNT/{rule}"
    raise UsageError(f"there is one {rule} for each account; write {which}")


def built_in_policy(config: "Config | None", account: "AccountConfig | None", key: AlertKey) -> Policy | None:
    """Whom a built-in rule tells; None where nobody knows, or where there is no such alert."""
    from guard.config.failing import failing_key, failing_policy
    from guard.config.invalid import invalid_key, invalid_policy
    from guard.lifecycle.strait import Strait

    if account and key.rule == NO_DATA:
        return account.no_data
    if config is None:
        return None
    if key == AlertKey("", STORE_FAILING):
        return _store_policy(config)
    if key.subject in config.channels and key == failing_key(config, key.subject):
        return failing_policy(config, Strait(key.subject))
    return invalid_policy(config) if key == invalid_key(config) else None


def _store_policy(config: "Config") -> Policy:
    """What is told straight to every channel, whatever `notify` says."""
    from guard.config import recipients_of

    recipients = {name: recipients_of(each) for name, each in config.channels.items()}
    routes = {Level.CRITICAL: tuple(config.channels)}
    no_data = config.accounts[0].no_data
    return replace(
        no_data, rule=STORE_FAILING, levels=(Level.CRITICAL,), routes=routes, recipients=recipients, remind=Remind()
    )


def at_rest_text(it: "Situation") -> str:
    """Why nothing is told of a built-in rule that does not fire."""
    if it.key.rule == CHANNEL_FAILING:
        return _channel_at_rest(it)
    if it.account and it.account.failure and it.config:
        silent, at_most = duration_text(it.account.outage), duration_text(it.config.no_data_after)
        return f"no good answer for {silent} of {at_most} (no_data_after): {it.account.failure.text}"
    if it.key.rule == CONFIG_INVALID:
        taken = "cannot be used, which nobody noticed yet" if it.file.is_broken else "can be used"
        return f"{it.file.path} {taken}"
    return f"{it.key.account} answers, and no rule of it has been unknown for long"


def _channel_at_rest(it: "Situation") -> str:
    found, name = it.strait, it.key.subject
    if found is None or found.is_clear or found.oldest_at is None:
        return f"{name} takes what it is sent"
    waited, at_most = duration_text(it.now - found.oldest_at), duration_text(BEHIND_AFTER)
    what = "1 alert waits" if found.alerts == 1 else f"{found.alerts:,} alerts wait"
    return f"{what} for {name} for {waited}, and {at_most} of that are no trouble"


def when_it_fires(account: "AccountConfig | None", rule: str, *, source: str) -> str:
    """When a built-in rule fires and ends, in one sentence; empty for a rule of the file."""
    say = _WHEN.get(rule)
    return f"Built in. {say(account, source)}." if say else ""


def _no_data(account: "AccountConfig | None", _: str) -> str:
    after = f"{duration_text(account.no_data_after)} (no_data_after)" if account else "no_data_after"
    refused = "refuses this account (403)" if account and is_sub_account(account.name) else "refuses the key"
    return (
        f"It fires critical when AgentPhone gave no good answer for {after}, and at once when it {refused}; "
        "warning when a rule has been unknown for 15 min other than for too short a history. "
        "Two good answers in a row end it"
    )


def _config_invalid(_: "AccountConfig | None", source: str) -> str:
    return f"It fires warning when {source} was changed and cannot be used, and ends when it can be used again"


def _channel_failing(_: "AccountConfig | None", __: str) -> str:
    return (
        "It fires critical when the channel refused a message for good, warning when one has waited for 15 min, goes "
        "to every other channel, and ends when all that waited has arrived"
    )


def _store_failing(_: "AccountConfig | None", __: str) -> str:
    return (
        "It fires critical when three cycles in a row could not be written to the database, goes straight to every "
        "channel, at most once an hour, and ends with a write that succeeds"
    )


_WHEN: Final[Mapping[str, Callable[["AccountConfig | None", str], str]]] = {
    NO_DATA: _no_data,
    CONFIG_INVALID: _config_invalid,
    CHANNEL_FAILING: _channel_failing,
    STORE_FAILING: _store_failing,
}
