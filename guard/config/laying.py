"""Rules laid over accounts and sub-accounts: a rule's own routes before the account's before the defaults."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta, tzinfo
from typing import Final

from guard.config.accounts import AccountDraft
from guard.config.quiet import QuietDraft
from guard.config.reach import reaches
from guard.config.routes import Reminders, Routes, resolved
from guard.config.rules import Draft
from guard.config.sense import check_budgets, check_sense
from guard.config.things import AccountConfig, ChannelConfig, EmailConfig, SubAccounts
from guard.model import NO_DATA, Level
from guard.rules.complaint import Severity
from guard.rules.names import BUDGETS
from guard.rules.policy import Policy
from guard.rules.rule import Rule, fingerprint

_NO_DATA_LEVELS: Final = (Level.WARNING, Level.CRITICAL)
_Shared = tuple[object, ...]


@dataclass(frozen=True, slots=True)
class Defaults:
    """`[defaults]`."""

    notify: Routes | None = None
    remind: Reminders | None = None
    hold: timedelta = timedelta()
    fallback: tuple[str, ...] = ()


class Laying:
    """Lays the same rules over one account after another; accounts that do not differ in a rule share it."""

    def __init__(
        self,
        drafts: Sequence[Draft],
        *,
        defaults: Defaults,
        channels: Mapping[str, ChannelConfig],
        windows: Mapping[str, QuietDraft],
    ) -> None:
        """Takes the file's rules, defaults, channels and quiet windows."""
        self._drafts = drafts
        self._defaults = defaults
        self._windows = windows
        self._everyone = tuple(channels)
        self._recipients = {name: each.to for name, each in channels.items() if isinstance(each, EmailConfig)}
        self._rules: dict[_Shared, Rule] = {}
        self._checked: set[_Shared] = set()

    def over(self, account: AccountDraft) -> AccountConfig:
        """The account and its sub-accounts with all their rules; notes what is wrong with them only here."""
        covering = self._covering(account)
        reached = [draft for draft in self._drafts if reaches(draft.rule, account)]
        names = {draft.table.name for draft in reached}
        self._check(reached, account, must_have=names)
        laid = self._laid_over(account, covering)
        if account.subs is None:
            return laid
        own = {sub.sub_id: self._own(account.of(sub), reached=names) for sub in account.subs.own}
        others = laid if len(reached) == len(covering) else self._laid_over(account, reached)
        return replace(laid, subs=SubAccounts(account.subs.ids, own, others=others))

    def _own(self, sub: AccountDraft, *, reached: Collection[str]) -> AccountConfig:
        """A sub-account with a table of its own. What a rule lacks there, its master account lacks where reached."""
        covering = self._covering(sub)
        self._check(covering, sub, must_have={draft.table.name for draft in covering}.difference(reached))
        return self._laid_over(sub, covering)

    def _covering(self, account: AccountDraft) -> list[Draft]:
        return [draft for draft in self._drafts if draft.rule.covers(account.name)]

    def _laid_over(self, account: AccountDraft, drafts: Sequence[Draft]) -> AccountConfig:
        return AccountConfig(
            name=account.name,
            api_key=account.api_key,
            base_url=account.base_url,
            every=account.every,
            stale_after=account.stale_after,
            no_data_after=account.no_data_after,
            tz=account.tz,
            budgets=account.budgets,
            rules=tuple(self._rule(draft, account) for draft in drafts if draft.is_enabled),
            disabled=frozenset(draft.table.name for draft in drafts if not draft.is_enabled),
            no_data=self._no_data(),
            former={draft.rule.renamed_from: draft.table.name for draft in drafts if draft.rule.renamed_from},
            sub_id=account.sub_id,
        )

    def _check(self, drafts: Sequence[Draft], account: AccountDraft, *, must_have: Collection[str]) -> None:
        budgets = tuple(account.budgets.items())
        for draft in drafts:
            if (draft.table.name, budgets) in self._checked:
                continue
            self._checked.add((draft.table.name, budgets))
            if draft.table.name in must_have:
                check_budgets(draft, budgets=account.budgets, account=account.name)
            check_sense(draft, budgets=account.budgets)

    def _rule(self, draft: Draft, account: AccountDraft) -> Rule:
        routes = self._routes(draft, account)
        read = {name: value for name, value in account.budgets.items() if BUDGETS + name in draft.rule.reads}
        shared = (draft.table.name, tuple(routes.items()), account.tz, tuple(read.items()))
        if shared not in self._rules:
            self._rules[shared] = self._laid(draft, routes=routes, tz=account.tz, budgets=read)
        return self._rules[shared]

    def _routes(self, draft: Draft, account: AccountDraft) -> Routes:
        said = (draft.notify, account.notify, self._defaults.notify)
        routes: Routes = next((each for each in said if each is not None), {})
        found = {level: routes[level] for level in draft.rule.conditions if routes.get(level)}
        if not found and not draft.table.document.has_errors:
            path = (*draft.table.path, "notify") if draft.notify is not None else draft.table.path
            text = f"nobody is told of {draft.table.name}: name channels in notify, here or under [defaults]"
            draft.table.document.complain(path, text, severity=Severity.WARNING, on_key=draft.notify is None)
        return found

    def _laid(self, draft: Draft, *, routes: Routes, tz: tzinfo, budgets: Mapping[str, float]) -> Rule:
        policy = replace(
            draft.rule.policy,
            routes=routes,
            recipients=self._recipients_of(routes),
            hold=self._defaults.hold if draft.hold is None else draft.hold,
            remind=resolved(self._defaults.remind, draft.remind),
            quiet=tuple(self._windows[name].on(tz) for name in draft.quiet if name in self._windows),
        )
        rule = replace(draft.rule, policy=policy, tz=tz)
        return replace(rule, policy=replace(policy, fingerprint=fingerprint(rule, budgets=budgets)))

    def _no_data(self) -> Policy:
        """The built-in rule's policy; it goes to everyone where the defaults name nobody, so that it is never mute."""
        said = self._defaults.notify or {}
        routes = {level: said.get(level) or self._everyone for level in _NO_DATA_LEVELS}
        recipients = self._recipients_of(routes)
        return Policy(NO_DATA, _NO_DATA_LEVELS, routes, recipients, remind=resolved(self._defaults.remind))

    def _recipients_of(self, routes: Routes) -> Mapping[str, tuple[str, ...]]:
        """Those of the channels that the routes name, where a channel is many people."""
        named = dict.fromkeys(name for level in routes for name in routes[level])
        return {name: self._recipients[name] for name in named if name in self._recipients}
