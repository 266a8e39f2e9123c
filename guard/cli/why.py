"""Why nobody is told of an alert now, in one plain sentence; or who is about to be."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Final

from guard.cli.built_in import at_rest_text
from guard.cli.hushed import held, held_text, is_for_good, less_text, muted_text, until
from guard.cli.output import ago
from guard.cli.situation import Situation, Target
from guard.cli.under_way import is_under_way, under_way_text
from guard.lifecycle.asking import is_of_the_key, may_ask
from guard.lifecycle.flapping import STABLE_FOR
from guard.message import listed
from guard.model import (
    CHANNEL_FAILING,
    STORE_FAILING,
    Alert,
    Level,
    Notification,
    State,
    Timer,
    is_sub_account,
)
from guard.units import duration_text, instant_text

QUIET: Final = "Nothing is sent now: "
_NAMED: Final = 3  # of those who are reminded next
_OR: Final = "the service does not run, or it cannot write and has told every channel so"


def why(it: Situation) -> str:
    """The sentence, with its full stop or question mark."""
    sentence = next(found for check in _CHECKS if (found := check(it)))
    return sentence if sentence.endswith("?") else f"{sentence}."


def _unwatched(it: Situation) -> str:
    """Without a good rule file the last good one is in force, so that what goes on is explained by what is stored."""
    goes_on = not it.is_readable and it.alert is not None and it.alert.state is not State.OK
    if not it.unwatched or goes_on:
        return ""
    then = ""
    if it.alert is not None and it.alert.incident is not None:
        what = " What" if it.unwatched.endswith("?") else "; what"
        then = f"{what} fires ends when the service takes that up, and who was told of it is told so"
    end = _under_way(it)  # what was told is told as ended, also where nothing is watched any more
    return f"{end}; {it.unwatched}{then}" if end else f"{QUIET}{it.unwatched}{then}"


def _written(it: Situation) -> str:
    """Of the database itself nothing is stored: whether it takes writes shows by when it last took one."""
    if it.key.rule != STORE_FAILING or it.unwatched:
        return ""
    if it.account is None or it.account.cycled_at is None or it.config is None:
        return f"{QUIET}nothing was written yet; `guard run` asks and writes"
    last = f"the last cycle of {it.account.name} was written {ago(it.account.cycled_at, now=it.now)}"
    if it.now - it.account.cycled_at <= 3 * it.config.every:
        return f"{QUIET}the database takes writes: {last}"
    every = duration_text(it.config.every)
    return f"{QUIET.removesuffix(': ')} as far as the database knows: {last}, and should be every {every}; {_OR}"


def _never_asked(it: Situation) -> str:
    if it.account is None or it.account.cycled_at is None:
        return f"{QUIET}{it.key.account} was never asked yet; `guard run` asks it"
    return ""


def _not_running(it: Situation) -> str:
    """Cycles come while an account fails, too; only a sub-account is left out, while its master account fails."""
    if it.account is None or it.config is None or it.account.cycled_at is None:
        return ""
    if it.now - it.account.cycled_at <= 3 * it.config.every:
        return ""
    name = it.key.account
    if alone := _left_alone(it):
        return alone
    every = duration_text(it.config.every)
    last = ago(it.account.cycled_at, now=it.now)
    return f"{QUIET}{name} was last asked {last}, and should be every {every}; the service does not seem to run"


def _left_alone(it: Situation) -> str:
    """That a sub-account is not asked, since its master account fails with what is likely to meet all of the key."""
    name, failure = it.key.account, it.master.failure if it.master else None
    if not is_sub_account(name) or it.master is None or failure is None or not is_of_the_key(failure):
        return ""
    return f"{QUIET}{name} is left alone while {it.master.name} fails: {failure.text}"


def _unseen(it: Situation) -> str:
    return QUIET + it.unseen if it.unseen and it.alert is None else ""


def _under_way(it: Situation) -> str:
    """What is between those who should know and those who do: one reason for each of them."""
    untold = under_way_text(it)
    if not untold:
        return ""
    return ("" if is_under_way(it) else QUIET) + "; ".join(filter(None, (untold, held_text(it))))


def _held(it: Situation) -> str:
    found = held_text(it)
    return QUIET + found if found else ""


def _no_data(it: Situation) -> str:
    account = it.account
    # What goes on would else be said to end, or to be reminded of, at times that pass by while nobody asks.
    if it.alert is not None and it.alert.state is not State.OK and (alone := _left_alone(it)):
        return alone
    if it.is_built_in or account is None or (account.failure is None and not account.lost):
        return ""
    failure = account.failure.text if account.failure else "it answers again, and one more good answer is awaited"
    then = ""
    if account.ask_at and not may_ask(account, now=it.now):
        then = f"; left alone until {instant_text(account.ask_at, it.tz)}"
    if account.lost:
        waits = "rules and reminders wait" if it.alert and it.alert.incident else "rules wait"
        return f"{QUIET}the data of {account.name} is lost, so its {waits}: {failure}{then}"
    return f"{QUIET}{account.name} gives no good answer now, so nothing new is decided: {failure}{then}"


def _does_not_apply(it: Situation) -> str:
    if it.trace is None or it.trace.applies is not False:
        return ""
    return f"{QUIET}the rule does not apply, since its `when` is false: {it.trace.when[0].text}"


def _unknown(it: Situation) -> str:
    reason, is_young, since = unknown_of(it)
    if not reason:
        return ""
    rest = "; time mends that" if is_young else ""
    begun = f" since {instant_text(since, it.tz)}" if since else ""
    stays = " and neither fires nor ends" if it.alert and it.alert.incident else ""
    return f"{QUIET}it is unknown{begun}{stays}: {reason}{rest}"


def unknown_of(it: Situation) -> tuple[str, bool, datetime | None]:
    """Why it is unknown, whether only for lack of history, and since when; an empty reason where it is known."""
    alert, found = it.alert, it.trace.unknown if it.trace else None
    if alert and alert.unknown_why:
        since = alert.unknown.at - alert.unknown.total if alert.unknown else None
        return alert.unknown_why, alert.unknown is None, since
    if found:
        return found.why, found.is_young, None
    if it.rule and it.rule.each and it.key.subject and it.seen and it.trace is None:
        return f"the last listing does not show {it.rule.each.value} {it.key.subject}", False, None
    return "", False, None


def _flapping(it: Situation) -> str:
    flapping = it.alert.flapping if it.alert else None
    if flapping is None or (it.alert and it.alert.level and _is_mute(it, it.alert.level)):
        return ""
    told = "it flaps: it fires and ends time and again, which everybody knows"
    if names := ", ".join(each.name for each in held(it)):
        return (
            f"{QUIET}it flaps, and does not fire just now: {names}, from whom it was held back, "
            f"{'is' if len(held(it)) == 1 else 'are'} told when it fires again, unless that is held back too"
        )
    stable = f"stable for {duration_text(STABLE_FOR)} ({duration_text(flapping.stable.total)} so far)"
    worse = "" if flapping.level is max(Level) else f"gets worse than {flapping.level.word}, or is "
    return f"{QUIET}{told}; you hear more of it once it {worse or 'is '}{stable}"


def _pending(it: Situation) -> str:
    if it.alert is None or it.alert.state is not State.PENDING:
        return ""
    level, timer = max(it.alert.timers.items(), key=lambda each: (each[1].total, -each[0]))
    hold = it.policy.hold if it.policy else None
    return f"{QUIET}it is pending{_until(it, timer, hold)}: {level.word} has held {_of(timer, hold, 'for')}"


def _recovering(it: Situation) -> str:
    if it.alert is None or it.alert.state is not State.RECOVERING or it.alert.clear is None:
        return ""
    timer, keep = it.alert.clear, it.policy.keep_firing_for if it.policy else None
    return f"{QUIET}it is recovering{_until(it, timer, keep)}: over for {_of(timer, keep, 'keep_firing_for')}"


def _until(it: Situation, timer: Timer, wanted: timedelta | None) -> str:
    """When a timer is full if all stays as it is; empty without a good rule file."""
    return "" if wanted is None else f" until {instant_text(timer.at + max(timedelta(), wanted - timer.total), it.tz)}"


def _of(timer: Timer, wanted: timedelta | None, key: str) -> str:
    return duration_text(timer.total) + ("" if wanted is None else f" of {duration_text(wanted)} ({key})")


def _mute(it: Situation) -> str:
    if it.alert is None or it.alert.level is None or not _is_mute(it, it.alert.level):
        return ""
    if it.key.rule == CHANNEL_FAILING:
        said = "there is no other channel to tell of it; `guard status`, the log and /healthz do"
        return f"{QUIET}it fires {it.alert.level.word}, and {said}"
    return f"{QUIET}it fires {it.alert.level.word}, and `notify` names nobody for that level"


def _is_mute(it: Situation, level: Level) -> bool:
    return not any(each.notification or any(own <= level for own in each.levels) for each in it.targets)


def _told(it: Situation) -> str:
    alert = it.alert
    if alert is None or alert.level is None:
        return ""
    kept = ""
    if not alert.timers and it.rule is not None and it.rule.clear is not None:
        kept = f"no level holds, but it is over only at `clear` ({it.rule.clear}); "
    hold = it.policy.hold if it.policy else None
    if names := listed([each.name for each in it.targets if _is_new(each, alert)], at_most=_NAMED):
        if muted := muted_text(it, alert.level):
            return f"{QUIET}it is held back from {names}: {muted}"
        more = f"the next cycle tells more, since the rule file leads it to {names} by now"
        if it.key.rule == CHANNEL_FAILING:
            more = f"who was out of reach too hears of it after that, if it fails still: {names}"
        return f"{QUIET}{kept}it fires {alert.level.word}, and {more}"
    less = f"; {found}" if (found := less_text(it)) else ""
    rising = [f"; {level.word} has held {_of(each, hold, 'for')}" for level, each in _rising(alert)]
    then = _next_reminder(it, alert) or _not_reminded(it, alert)
    return f"{QUIET}{kept}it fires {alert.level.word} and everybody knows{''.join(rising)}{less}{then}"


def _is_new(target: Target, alert: Alert) -> bool:
    """Whether somebody is to be told by the rule file as it is now whom no cycle has thought of yet."""
    own = max((each for each in target.levels if alert.level is not None and each <= alert.level), default=None)
    desired = target.notification.desired if target.notification else None
    if own is None or alert.incident is None or alert.state is not State.FIRING:
        return False
    return desired is None or desired.incident_id != alert.incident.id or desired.level < own


def _next_reminder(it: Situation, alert: Alert) -> str:
    """Who is reminded first, and when; all of them where the minute is the same."""
    due = [*_reminders(it, alert)]
    if not due:
        return ""
    at_first = min(at for at, _ in due)
    first = instant_text(at_first, it.tz)
    names = [name for at, name in due if instant_text(at, it.tz) == first]
    when = f"at {first}" if at_first > it.now else "in the next cycle"
    return f"; {listed(names, at_most=_NAMED)} {'is' if len(names) == 1 else 'are'} reminded {when}"


def _not_reminded(it: Situation, alert: Alert) -> str:
    """Why nobody is reminded, where that is the rule file's will."""
    if it.policy is None or alert.level is None or is_for_good(it):
        return ""
    if alert.level not in it.policy.remind.every:
        return f"; remind is off for {alert.level.word}"
    known = [each.notification.notified for each in it.targets if each.notification]
    sent = max((each.reminders for each in known if each), default=0)
    return f"; all {sent} reminders were sent (max)" if sent and sent >= it.policy.remind.at_most else ""


def _rising(alert: Alert) -> Iterator[tuple[Level, Timer]]:
    """The levels above that of the alert that hold, but not yet for long enough."""
    return ((level, each) for level, each in alert.timers.items() if alert.level is not None and level > alert.level)


def _reminders(it: Situation, alert: Alert) -> Iterator[tuple[datetime, str]]:
    return ((at, each.name) for each in it.targets if (at := reminder_at(it, alert, each)))


def reminder_at(it: Situation, alert: Alert, target: Target) -> datetime | None:
    """When a recipient is told again if nothing changes; None if it is not."""
    known, policy = target.notification, it.policy
    if policy is None or alert.level is None or alert.state is not State.FIRING or known is None:
        return None
    every, notified = policy.remind.every.get(alert.level), known.notified
    is_told = notified is not None and notified == known.desired and not notified.ended
    if every is None or not is_told or notified is None or known.notified_at is None or not target.levels:
        return None
    if notified.reminders >= policy.remind.at_most or is_for_good(it):
        return None
    return max([known.notified_at + every, *until(it)])


def _at_rest(it: Situation) -> str:
    if it.is_built_in:
        return QUIET + at_rest_text(it)
    if it.trace is None:
        return f"{QUIET}there is no good answer yet"
    if it.trace.level is not None:
        return f"{QUIET}{it.trace.level.word} holds by the rule file as it is now, and the next cycle decides"
    return f"{QUIET}no level holds{_heard(it)}"


def _is_unheard(known: Notification) -> bool:
    """Whether what fired last is over, and was held back all the time."""
    desired, notified = known.desired, known.notified
    is_held = desired is not None and desired.held and desired.ended
    return is_held and desired is not None and (notified is None or notified.incident_id != desired.incident_id)


def _heard(it: Situation) -> str:
    """Who heard of what fired last."""
    known = [each.notification for each in it.targets if each.notification and each.notification.desired]
    is_told = [each.notified is not None and each.notified.ended for each in known]
    if any(map(_is_unheard, known)):
        return ", and what fired last was over before it was to be told"
    return ", and everybody knows" if any(is_told) else ""


_CHECKS: Final[tuple[Callable[[Situation], str], ...]] = (
    _written,
    _unwatched,
    _never_asked,
    _not_running,
    _unseen,
    _under_way,
    _held,
    _no_data,
    _does_not_apply,
    _unknown,
    _flapping,
    _pending,
    _recovering,
    _mute,
    _told,
    _at_rest,
)
"""The first one that has something to say is the reason; the last one always has."""
