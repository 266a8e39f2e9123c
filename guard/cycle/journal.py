"""What a committed cycle leaves in the log."""

from guard.lifecycle.decide import Decision
from guard.logs import log
from guard.model import Account


def log_decision(before: Account, decision: Decision) -> None:
    """Logs what a committed cycle saw and decided; `before` is the account as it stood until then."""
    account = decision.account
    if account.failure is not None and account.failures != before.failures:
        failure = account.failure
        log.warning("poll.failed", failure.text, account=account.name, kind=failure.kind, in_a_row=account.failures)
    elif before.failures and not account.failures:
        log.info("poll.recovered", "AgentPhone answers again", account=account.name, failures=before.failures)
    summaries = {alert.key: alert.reading.summary for alert in decision.alerts if alert.reading}
    for event in decision.events:
        level = {"alert_level": event.level.word} if event.level else {}
        value = {} if event.value is None else {"value": event.value}
        log.info(event.kind, event.text or summaries.get(event.key, ""), alert=event.key, **level, **value)
