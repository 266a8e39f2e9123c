"""What the database holds of the rule file: the versions that took effect, and the alert that it cannot be used."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

from guard.config import Config, load, secrets_of
from guard.config.invalid import evaluate_invalid, invalid_key, invalid_policy
from guard.config.reload import changes
from guard.cycle.record import within
from guard.lifecycle.decide import Decision, Memory, judge
from guard.model import CONFIG_INVALID, Account, AlertKey, State
from guard.rule_watch import digest_of
from guard.store import RuleFile, Unit

FIRST: Final = "the first version"
_EVERY: Final = timedelta(hours=1)  # between two passes for cron, perhaps; the rule has no timers but for flapping


def store_version(
    unit: Unit, config: Config, text: str, *, now: datetime, before: Config | None = None
) -> RuleFile | None:
    """Stores a rule file that takes effect, and gives what is stored of it; None if it is the same as the last one.

    `before` is what was in force until now; without it the last version that is stored is compared.
    """
    last = next(iter(unit.rule_files(count=1)), None)
    digest = digest_of(text)
    if before is None and last is not None and last.digest != digest:
        before = load(last.text, path="", secret=_values(config).get).config
    changed = changes(before, config) if before is not None else ()
    if last is not None and last.digest == digest and not changed:
        return None
    version = RuleFile(now, digest, text, changed if last is not None else (FIRST,))
    unit.add_rule_file(version)
    return version


def _values(config: Config) -> Mapping[str, str]:
    """The values of the variables that a rule file names: an older one is compared as if it had the same."""
    things = (*config.accounts, *config.channels.values())
    return {each.variable: each.value for thing in things for each in secrets_of(thing)}


def note_invalid(unit: Unit, config: Config, faults: Sequence[str], *, now: datetime) -> Decision:
    """Has guard.config_invalid fire, or go on; `config` is in force, and the faults are those of what is not."""
    return _judged(unit, config, invalid_key(config), faults, now=now)


def note_valid(unit: Unit, config: Config, *, now: datetime) -> list[Decision]:
    """Ends guard.config_invalid, whichever account it stood with; one that flaps is to be noted again and again."""
    busy = [
        key for key, each in unit.alerts_by_rule(CONFIG_INVALID).items() if each.state is not State.OK or each.flapping
    ]
    return [_judged(unit, config, key, (), now=now) for key in busy]


def _judged(unit: Unit, config: Config, key: AlertKey, faults: Sequence[str], *, now: datetime) -> Decision:
    """Nothing is written of the account itself, whose cycles know better how its asking goes."""
    memory = within(unit, Memory(Account(key.account), unit.alerts(key.account)), now=now)
    evaluation = evaluate_invalid(key, faults, now=now)
    decision = judge(memory, evaluation, invalid_policy(config), now=now, every=_EVERY)
    unit.save_changes(decision)
    return decision
