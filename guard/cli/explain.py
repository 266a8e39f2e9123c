"""`guard explain`: an alert's expression part by part, its timers, who knows what, and why nobody is told now."""

import os
from typing import TYPE_CHECKING, Annotated, Final

import typer

from guard.cli.explanation import explanation_document, print_explanation
from guard.cli.options import FormatOption, RulesOption
from guard.cli.output import Format, print_json
from guard.cli.rule_file import if_readable
from guard.cli.situation import BUILT_IN, Situation, all_rules, read_situation
from guard.clock import Clock
from guard.errors import UsageError
from guard.model import AlertKey, Each
from guard.rules.rule import Rule
from guard.settings import Settings

if TYPE_CHECKING:
    from guard.config import Config

_NAMED: Final = 5  # subjects in a suggestion


def explain(
    alert: Annotated[str, typer.Argument(metavar="ALERT", help="ACCOUNT/RULE, or ACCOUNT/RULE/SUBJECT.")],
    rules: RulesOption = None,
    format: FormatOption = Format.TEXT,  # noqa: A002 - the option's name
) -> None:
    """Explain an alert: why it was told, or why not.

    Shows the rule's expressions with the value of each part by the last stored
    answer, its timers, and what each channel should know and knows; and says
    in one sentence why nothing is sent now. Works whether or not the service
    runs.
    """
    from guard.store import Reader

    settings = Settings.from_environ(os.environ)
    path, key = rules or settings.rules, _key(alert)
    config = if_readable(path)
    with Reader.open(settings.database) as reader:
        found = read_situation(reader, config, key, path=path, now=Clock().now())
        _check_known(config, found)
    if format is Format.JSON:
        print_json(explanation_document(found))
    else:
        print_explanation(found)


def _key(text: str) -> AlertKey:
    account, _, rest = text.partition("/")
    rule, _, subject = rest.partition("/")
    if not (account and rule):
        raise UsageError(f"{text!r} is no alert; write ACCOUNT/RULE, as in main/numbers-remaining")
    return AlertKey(account, rule, subject)


def _check_known(config: "Config | None", found: Situation) -> None:
    """Raises UsageError for an alert of which neither the rule file nor the database knows anything."""
    key, rule = found.key, found.rule
    if found.alert is not None or (found.config and key.rule in found.config.disabled):
        return
    if found.unwatched:
        known = config is not None and (key.rule in BUILT_IN or key.rule in all_rules(config))
        # Of a rule that there is, and of an account that there is, the reason says enough.
        if not (known and found.config):
            raise UsageError(f"there is no alert {str(key)!r}: {found.unwatched}")
    elif rule is not None and rule.each is not None:
        _check_subject(found, rule, rule.each)
    elif key.subject:
        raise UsageError(f"{key.rule} has no subjects; write {key.account}/{key.rule}")


def _check_subject(found: Situation, rule: Rule, each: Each) -> None:
    from guard.rules.complaint import hint

    key, shown = found.key, sorted(found.seen.subjects(rule)) if found.seen else []
    if key.subject in shown:
        return
    more = ", …" if len(shown) > _NAMED else ""
    there_is = f"; there is {', '.join(shown[:_NAMED])}{more}" if shown else "; no answer showed one yet"
    if not key.subject:
        raise UsageError(f"{key} has one alert for each {each.value}; write {key}/ID{there_is}")
    near = hint(key.subject, shown) or there_is
    raise UsageError(f"{key.account}/{key.rule} has no {each.value} {key.subject!r}{near}")
