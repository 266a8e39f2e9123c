"""A file of rule tests: the rule file that it names, and for each test a scenario and what is expected of it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Final

from guard.cli.expectation import Expectation, Known, read_expectation
from guard.config import AccountConfig, Config
from guard.errors import ConfigError
from guard.model import NO_DATA, is_sub_account, master_name
from guard.sandbox.document import Document
from guard.sandbox.errors import SandboxError, suggestion
from guard.sandbox.scenario import Scenario
from guard.sandbox.scenario_file import load_scenario, scenario_in
from guard.units import duration_text, parse_duration

_TOP: Final = ("rules", "test")
_OF_A_RULE_FILE: Final = ("accounts", "channels", "defaults", "budgets")
_TEST: Final = ("name", "account", "scenario", "strict", "expect")
_HEADER: Final = "[[test]]"
_MOST_CYCLES: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class RuleTest:
    """One test: a story for one account, and what should come of it."""

    name: str
    line: int
    account: AccountConfig
    scenario: Scenario
    expected: tuple[Expectation, ...]  # at least one
    strict: bool = True  # what happens to an alert with expectations, and is not among them, is a failure

    @property
    def cycles(self) -> int:
        """How many polls it takes: to the end of the story, and of what is expected."""
        last = max((each.at for each in self.expected if each.at is not None), default=timedelta())
        return max(self.scenario.length // self.scenario.interval, last // self.scenario.interval + 1)


def read_rule_tests(text: str, *, place: str, rules_of: Callable[[Path], Config]) -> tuple[RuleTest, ...]:
    """The tests of a file; `rules_of` reads the rule file at a path, which is relative to this file's.

    Raises ConfigError for the first mistake, with its line where that can be told.
    """
    try:
        file = Document(text, place=place)
        top = file.parsed()
        if not top.keys().isdisjoint(_OF_A_RULE_FILE):
            raise file.problem(
                f'this is a rule file; a file of tests is another one, with rules = "{Path(place).name}"'
            )
        if "expect" in top:
            raise file.problem("an expectation is headed [[test.expect]], below its test", path=("expect",), nth=0)
        file.know(top, _TOP, what="key", path=())
        rules = file.take(top, str, ("rules",))
        if rules is None:
            raise file.problem('rules is missing; write the rule file\'s path, as in rules = "rules.toml"')
        parts = _parts(file, top)
        path = Path(place).parent / rules
        if not path.exists():
            raise file.problem(f"there is no rule file {path}; rules is a path relative to this file", path=("rules",))
        config = rules_of(path)
        return tuple(_test(part, line, config) for line, part in parts)
    except SandboxError as error:
        raise ConfigError(str(error)) from None


def _parts(file: Document, top: Mapping[str, object]) -> list[tuple[int, Document]]:
    """Each test by itself with its first line; the lines before are empty, so that every line keeps its number."""
    lines = file.text.splitlines()
    starts = [number for number, line in enumerate(lines) if line.strip().startswith(_HEADER)]
    tests = top.get("test")
    if not starts or not isinstance(tests, list) or len(tests) != len(starts):
        raise file.problem(f"there is no test; begin each with {_HEADER} on a line of its own")
    ends = [*starts[1:], len(lines)]
    return [
        (start + 1, Document("\n" * start + "\n".join(lines[start:end]), place=file.place))
        for start, end in zip(starts, ends, strict=True)
    ]


def _test(file: Document, line: int, config: Config) -> RuleTest:
    table: Mapping[str, object] = file.parsed()["test"][0]  # type: ignore[index] # as it was cut
    file.know(table, _TEST, what="key of a test", path=("test",))
    name = file.take(table, str, ("test", "name"))
    if not name:
        raise file.problem("name is missing; say what is tested", path=("test",), nth=0)
    account = _account(file, table, config)
    scenario = _scenario(file, table, name)
    strict = file.take(table, bool, ("test", "strict"))
    test = RuleTest(
        name=name,
        line=line,
        account=account,
        scenario=scenario,
        expected=_expected(file, table, account=account, config=config, interval=scenario.interval),
        strict=strict is not False,
    )
    if test.cycles > _MOST_CYCLES:
        raise file.problem(f"this takes {test.cycles:,} polls; there may be {_MOST_CYCLES:,}", path=("test",), nth=0)
    return test


def _account(file: Document, table: Mapping[str, object], config: Config) -> AccountConfig:
    known = {account.name: account for account in config.accounts}
    name = file.take(table, str, ("test", "account")) or next(iter(known))
    master = known.get(master_name(name))
    if master is None:
        why = f"there is no account {name!r}{suggestion(name, known) or '; there are ' + ', '.join(known)}"
        raise file.problem(why, path=("test", "account"))
    if not is_sub_account(name):
        return master
    if master.subs is None:
        raise file.problem(f"no sub-account of {master.name} is watched", path=("test", "account"))
    return master.subs.config(name.partition(":")[2])


def _scenario(file: Document, table: Mapping[str, object], name: str) -> Scenario:
    path = ("test", "scenario")
    said = table.get("scenario")
    if isinstance(said, dict):
        return scenario_in(file, said, name=name, path=path)
    if said is None:
        why = 'scenario is missing; write [test.scenario] with a series, or scenario = "numbers" for a built-in one'
        raise file.problem(why, path=("test",), nth=0)
    text = file.take(table, str, path) or ""
    try:
        return load_scenario(text if "/" not in text else str(Path(file.place).parent / text))
    except SandboxError as error:
        raise file.problem(str(error), path=path) from None


def _expected(
    file: Document, table: Mapping[str, object], *, account: AccountConfig, config: Config, interval: timedelta
) -> tuple[Expectation, ...]:
    tables = table.get("expect")
    if not isinstance(tables, list) or not tables or not all(isinstance(each, dict) for each in tables):
        why = "nothing is expected; write [[test.expect]] with at, alert, and what happens then"
        raise file.problem(why, path=("test",), nth=0)
    rules = {**{rule.name: rule.each for rule in account.rules}, NO_DATA: None}

    def moment(text: str) -> timedelta:
        at = parse_duration(text)
        if at % interval:
            raise ValueError(f"at {text} lies between two polls, of which there is one every {duration_text(interval)}")
        return at

    known = Known(account.name, rules, account.disabled, tuple(config.channels), moment)
    return tuple(read_expectation(file, each, known, nth=nth) for nth, each in enumerate(tables))
