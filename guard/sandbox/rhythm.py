"""The rhythm of a week: how much of its traffic an account has had by each second; whole numbers only, pure."""

from itertools import accumulate
from typing import Final

HOUR_S: Final = 3_600
DAY_S: Final = 24 * HOUR_S

_HOURS: Final = (1, 1, 1, 1, 1, 2, 3, 5, 7, 8, 8, 7, 6, 7, 8, 8, 7, 6, 4, 3, 2, 2, 1, 1)  # of a UTC day; 100 in all
_DAYS: Final = (11, 11, 11, 11, 11, 8, 7)  # from Monday on; 70 in all
_BY_HOUR: Final = (0, *accumulate(_HOURS))
_BY_DAY: Final = (0, *accumulate(_DAYS))
_EPOCH_WEEKDAY: Final = 3  # 1970-01-01 was a Thursday

AN_AVERAGE_DAY: Final = sum(_HOURS) * HOUR_S * sum(_DAYS) // len(_DAYS)
"""By how much `weight` grows in a day, over whole weeks."""


def weight(at_s: int) -> int:
    """A number that grows as traffic does, fast by day and slowly by night; it never falls.

    `at_s` is in whole seconds of Unix time. Only differences mean something; they are the same every week.

    >>> week_s = 7 * DAY_S
    >>> weight(week_s) - weight(0) == 7 * AN_AVERAGE_DAY
    True
    """
    days, second = divmod(at_s, DAY_S)
    weeks, weekday = divmod(days + _EPOCH_WEEKDAY, len(_DAYS))
    hour, rest_s = divmod(second, HOUR_S)
    of_day = _BY_HOUR[hour] * HOUR_S + _HOURS[hour] * rest_s
    whole_days = weeks * _BY_DAY[-1] + _BY_DAY[weekday]
    return whole_days * _BY_HOUR[-1] * HOUR_S + _DAYS[weekday] * of_day
