"""`guard explain`: an alert's expression part by part, its timers, who knows what, and why nobody is told now."""

import os
from typing import TYPE_CHECKING, Annotated, Final

import typer

from guard.cli.built_in import BUILT_IN, built_in_key
from guard.cli.explanation import explanation_document, print_explanation
from guard.cli.in_force import in_force
from guard.cli.options import FormatOption, RulesOption
from guard.cli.output import Format, print_json
from guard.cli.situation import Situation, account_config, all_rules, read_situation
from guard.cli.subjects import print_subjects, subjects_document, subjects_of
from guard.clock import Clock
from guard.errors import UsageError
from guard.lifecycle.step import is_at_rest
from guard.model import CHANNEL_FAILING, STORE_FAILING, AlertKey, Each
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
    path = rules or settings.rules
    with Reader.open(settings.database) as reader:
        file = in_force(reader, path)
        found = read_situation(reader, file, _key(alert, file.config), now=Clock().now())
        if _is_whole(found):
            subjects = subjects_of(found, reader)
            if format is Format.JSON:
                print_json(subjects_document(found, subjects))
            else:
                print_subjects(found, subjects)
            return
        _check_known(file.config, found)
    if format is Format.JSON:
        print_json(explanation_document(found))
    else:
        print_explanation(found)


def _is_whole(found: Situation) -> bool:
    """Whether it is about a rule with `each` as a whole, of which nothing is to be said but what its subjects are."""
    is_of_each = found.rule is not None and found.rule.each is not None and not found.key.subject
    return is_of_each and not found.unwatched and (found.alert is None or is_at_rest(found.alert))


def _key(text: str, config: "Config | None") -> AlertKey:
    """The alert that is meant. A built-in rule may stand without its account, where there can be no other."""
    account, _, rest = text.partition("/")
    rule, _, subject = rest.partition("/")
    if rule == STORE_FAILING or (account in BUILT_IN and not rest):
        return built_in_key(config, rule or account)
    if not (account and rule):
        raise UsageError(f"{text!r} is no alert; write ACCOUNT/RULE, as in {_such_as(text.strip('/'), config)}")
    return AlertKey(account, rule, subject)


def _such_as(word: str, config: "Config | None") -> str:
    """The alert that is most likely meant by one word, which may be a rule's name or an account's."""
    from guard.rules.complaint import nearest

    if config is None:
        return "main/numbers-remaining"
    accounts, rules = [each.name for each in config.accounts], [*all_rules(config), *BUILT_IN[:2]]
    account = word if account_config(config, word) else accounts[0]
    return f"{account}/{nearest(word, rules) or rules[0]}"


def _check_known(config: "Config | None", found: Situation) -> None:
    """Raises UsageError for an alert of which neither the rule file nor the database knows anything."""
    key, rule = found.key, found.rule
    is_known = found.alert is not None or key.rule == STORE_FAILING
    if is_known or (found.config and key.rule in found.config.disabled):
        return
    if found.unwatched:
        known = config is not None and (key.rule in BUILT_IN or key.rule in all_rules(config))
        # Of a rule that there is, and of an account that there is, the reason says enough.
        if not (known and found.config):
            raise UsageError(f"there is no alert {str(key)!r}: {found.unwatched}")
    elif rule is not None and rule.each is not None:
        _check_subject(found, rule, rule.each)
    elif key.subject and key.rule != CHANNEL_FAILING:
        raise UsageError(f"{key.rule} has no subjects; write {key.account}/{key.rule}")


def _check_subject(found: Situation, rule: Rule, each: Each) -> None:
    from guard.rules.complaint import hint

    key, shown = found.key, sorted(found.seen.subjects(rule)) if found.seen else []
    if key.subject in shown:
        return
    more = ", …" if len(shown) > _NAMED else ""
    there_is = f"; there is {', '.join(shown[:_NAMED])}{more}" if shown else "; no answer showed one yet"
    near = hint(key.subject, shown) or there_is
    raise UsageError(f"{key.account}/{key.rule} has no {each.value} {key.subject!r}{near}")
