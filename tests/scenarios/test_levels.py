"""Levels and reminders: what is told of a rise, a fall and an end, and what is told again."""

from datetime import timedelta
from pathlib import Path

from tests.scenarios.acts import later
from tests.scenarios.stage import LEVELS, Scene, plays, rule, told_as_promised

THREE = 'info = "< 5"\nwarning = "< 3"\ncritical = "< 2"\n'
APART = 'notify = { warning = ["hook"], critical = ["hook", "bot", "mail"] }\n'
HOURLY = 'critical = "4h", warning = "8h", info = "off", max = 3'

SCENES = [
    Scene(
        "up, down and over",
        "5 2 1 2 1 5",
        "1 warning, 2 escalated critical, 5 resolved recovered",
        edits="2 critical, 3 warning, 4 critical, 5 resolved recovered",
    ),
    Scene(
        "crossings that hold at the start fire",
        "1 1 5",
        "0 critical, 2 resolved recovered",
        edits="2 resolved recovered",
    ),
    Scene("pending to ok says nothing", "2x3 5 2x4", rules=rule(LEVELS + 'for = "5m"')),
    Scene(
        "every level has its own time",
        "2x9 1x12",
        "10 warning, 19 escalated critical",
        edits="19 critical",
        rules=rule(LEVELS + 'for = "10m"'),
        why={10: "critical has held", 19: "everybody knows"},
    ),
    Scene(
        "a channel that never heard the lower level gets no escalation",
        "2x2 1 2 1 5",
        "0 warning, 2 escalated critical, 5 resolved recovered",
        rules=rule(LEVELS + APART),
        bot="2 critical, 5 >resolved recovered",
        mail="2 critical, 5 >resolved recovered",
        edits="3 warning, 4 critical, 5 resolved recovered",
    ),
    Scene(
        "a channel that hears of critical alone hears nothing of a warning",
        "2x3 5",
        "0 warning, 3 resolved recovered",
        rules=rule(LEVELS + APART),
        bot="",
        mail="",
    ),
    Scene(
        "true again before keep_firing_for is over goes on",
        "1 5x2 1 5x5",
        "0 critical, 7 resolved recovered",
        rules=rule(LEVELS + 'keep_firing_for = "3m"'),
        edits="7 resolved recovered",
        why={1: "recovering", 3: "everybody knows", 4: "recovering"},
    ),
    Scene(
        "unknown neither fires nor resolves",
        "1 -1x3 5",
        "0 critical, 4 resolved recovered",
        edits="4 resolved recovered",
        why={1: "unknown"},
    ),
    Scene(
        "three levels at once, one after the other",
        "4 2 1 4 9",
        "0 info, 1 escalated warning, 2 escalated critical, 4 resolved recovered",
        rules=rule(THREE),
        edits="1 warning, 2 critical, 3 info, 4 resolved recovered",
    ),
    Scene(
        "reminders up to their cap",
        "1x20 5",
        "0 critical, 4 reminder critical, 8 reminder critical, 12 reminder critical, 20 resolved recovered",
        edits="20 resolved recovered",
        every="1h",
        remind=HOURLY,
        why={0: "reminded at", 12: "all 3 reminders were sent (max)"},
    ),
    Scene(
        "reminders go by the present level",
        "1x5 2x12",
        "0 critical, 4 reminder critical, 12 reminder warning",
        edits="5 warning",
        every="1h",
        remind=HOURLY,
    ),
    Scene(
        "reminders count anew after a rise",
        "2x26 1x14",
        "0 warning, 8 reminder warning, 16 reminder warning, 24 reminder warning, 26 escalated critical,"
        "30 reminder critical, 34 reminder critical, 38 reminder critical",
        edits="26 critical",
        every="1h",
        remind=HOURLY,
    ),
    Scene(
        "a reminder is counted from the channel's own last message",
        "2x2 1x8",
        "0 warning, 2 escalated critical, 6 reminder critical",
        every="1h",
        remind=HOURLY,
        rules=rule(LEVELS + APART),
        bot="2 critical, 6 >reminder critical!",
        mail="2 critical, 6 >reminder critical",
    ),
    Scene(
        "no reminder while it recovers",
        "1x3 5x4",
        "0 critical, 6 resolved recovered",
        every="1h",
        remind=HOURLY,
        rules=rule(LEVELS + 'keep_firing_for = "3h"'),
        edits="6 resolved recovered",
        why={3: "recovering"},
    ),
    Scene(
        "a gap of three intervals counts in full",
        "9 2x2 _x2 2x4",
        "6 warning",
        rules=rule(LEVELS + 'for = "5m"'),
    ),
    Scene(
        "a gap of a second more counts for nothing",
        "9 2x2 _x2 2x6",
        "9 warning",
        rules=rule(LEVELS + 'for = "5m"'),
        acts={5: later(timedelta(seconds=1))},
    ),
    Scene(
        "two levels whose time has come in the same cycle are one message",
        "9 2 1 _x2 1x3 9",
        "5 critical, 8 resolved recovered",
        edits="8 resolved recovered",
        rules=rule(LEVELS + 'for = "3m"'),
    ),
]


@told_as_promised(SCENES)
async def test_levels_are_told_once_and_reminded_of(scene: Scene, tmp_path: Path, *, restarts: bool) -> None:
    await plays(scene, tmp_path, restarts=restarts)
