"""A scenario played without HTTP: at each moment the answer to each path, or the fault that it meets; pure."""

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from typing import Final

from guard.sandbox.account import MASTER
from guard.sandbox.accounts import Accounts
from guard.sandbox.fields import SUB_ACCOUNTS, USAGE
from guard.sandbox.query import Query
from guard.sandbox.routes import ROUTES, Body, sub_accounts
from guard.sandbox.scenario import Fault, Scenario

_GAP: Final = Fault(status=503)  # what `_` in a series means


class UnknownAccountError(LookupError):
    """There is no account of that id."""


class Playing:
    """A scenario from its start on. Accounts are named by their ids, the master account MASTER."""

    def __init__(self, scenario: Scenario, *, starts_at: datetime) -> None:
        """Takes the story and the instant at which it starts, in whole seconds and aware."""
        self.scenario = scenario
        self.starts_at = starts_at
        self.accounts = Accounts(scenario, start_s=int(starts_at.timestamp()))

    def fault(
        self, path: str, *, elapsed: timedelta, account: str = MASTER, known: Collection[str] = ()
    ) -> Fault | None:
        """How a request goes wrong, so long after the start; a gap in the series of a `known` field is none."""
        fault = self.scenario.fault_at(elapsed, path=path)
        if fault is not None or account not in self.accounts:
            return fault
        story = self.accounts.story(account)
        gaps = {name for name, value in story.values_at(elapsed).items() if value is None}
        return story.fault_at(elapsed, path=path) or (_GAP if path == USAGE and gaps - set(known) else None)

    def body(
        self,
        path: str,
        query: Query,
        *,
        elapsed: timedelta,
        account: str = MASTER,
        known: Mapping[str, int] | None = None,
    ) -> Body:
        """The good answer, so long after the start; the values that are `known` take the place of the story's.

        Raises BadQueryError, and UnknownAccountError for an account that is not there.
        """
        if path == SUB_ACCOUNTS:
            return sub_accounts(self.accounts.names if account == MASTER else {}, query)
        if account not in self.accounts:
            raise UnknownAccountError(account)
        scripted = {**self.accounts.story(account).values_at(elapsed), **(known or {})}
        values = {name: value for name, value in scripted.items() if value is not None}
        at_s = int((self.starts_at + elapsed).timestamp())
        return ROUTES[path](self.accounts.account(account).statement(values, at_s=at_s), query)
