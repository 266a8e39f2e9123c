"""One cycle: fetch an account's usage, decide, commit poll, alerts, events and desired states in one transaction."""

from guard.cycle.cycles import AccountGoneError, Cycles, OutageCounts, Raised
from guard.cycle.journal import log_decision
from guard.cycle.record import recall, save
from guard.cycle.retirement import retire_account, retire_gone

__all__ = [
    "AccountGoneError",
    "Cycles",
    "OutageCounts",
    "Raised",
    "log_decision",
    "recall",
    "retire_account",
    "retire_gone",
    "save",
]
