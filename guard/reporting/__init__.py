"""The report: when it is due, who should get it, and what it says.

It is told as alerts are: what a channel should know is the last report that was due, what it was notified of the last
one that it took, and the outbox brings the second to the first. So one that was overtaken is never told.
"""

from guard.reporting.period import Period, last_period, period_of, running_period
from guard.reporting.reading import read_report
from guard.reporting.reporter import Reporter, compose_report
from guard.reporting.wish import REPORT_KEY, wish

__all__ = [
    "REPORT_KEY",
    "Period",
    "Reporter",
    "compose_report",
    "last_period",
    "period_of",
    "read_report",
    "running_period",
    "wish",
]
