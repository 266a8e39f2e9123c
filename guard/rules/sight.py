"""What rules see of one account's answers up to the last one: windows and checks, made once for several rule files."""

from collections.abc import Iterable, Sequence
from datetime import timedelta, tzinfo

from guard.model import Each, Snapshot
from guard.rules.history import History, needs
from guard.rules.quiet import Quiet, quiet
from guard.rules.rule import Rule
from guard.rules.values import Values, Windows


class Sight:
    """The windows of one account for one or several sets of rules, and the checks whether a rule stays at rest.

    A rule that several sets hold in the same words is checked once for each answer.
    """

    def __init__(self, sets: Sequence[Iterable[Rule]], *, every: timedelta, tz: tzinfo) -> None:
        """Takes the sets of rules, which may be one; the answers come `every` so often."""
        self.history = History(needs(rule for rules in sets for rule in rules))
        self.windows = self.history.windows(every=every, tz=tz)
        """Those that end with the last answer."""
        self._every, self._tz = every, tz
        self._last: Snapshot | None = None
        self._is_shared = len(sets) > 1
        self._checks: dict[object, Quiet] = {}

    @property
    def span(self) -> timedelta:
        """How much older answers rules look back on; zero if none does."""
        return self.history.span(every=self._every)

    def add(self, snapshot: Snapshot) -> None:
        """Takes an answer; the very one that was taken last changes nothing."""
        if snapshot is not self._last:
            self._last = snapshot
            self.history.add(snapshot)
            self.windows = self.history.windows(every=self._every, tz=self._tz)

    def windows_of(self, each: Each, subject: str) -> Windows:
        """Those of a subject, with its own past."""
        return self.history.windows(every=self._every, tz=self._tz, subject=(each, subject))

    def check(self, rule: Rule, *, constants: Values) -> Quiet:
        """The check whether the last answer lets a rule rest: see `quiet`. It is to be given these windows."""
        if not self._is_shared:
            return quiet(rule, constants=constants)
        read = frozenset((name, constants[name]) for name in rule.reads & constants.keys())
        key = (rule.value, tuple(rule.conditions.items()), rule.clear, rule.when, rule.each, read)
        return self._checks.setdefault(key, _once(quiet(rule, constants=constants)))


def _once(check: Quiet) -> Quiet:
    """The check, made once for each answer, which is told by its windows."""
    known: Windows | None = None
    found = False

    def remembered(values: Values, windows: Windows) -> bool:
        nonlocal known, found
        if windows is not known:
            known, found = windows, check(values, windows)
        return found

    return remembered
