"""Silences and quiet windows: what they hold back, and what is told when they are over."""

from datetime import UTC, datetime
from pathlib import Path

from guard.model import AlertKey, Level
from tests.scenarios.acts import in_flight, silence, silence_ends, turns
from tests.scenarios.receivers import Mood
from tests.scenarios.stage import LEVELS, Scene, plays, rule, told_as_promised

KEEP_3 = rule(LEVELS + 'keep_firing_for = "3m"')
TEAM_A = rule(LEVELS + 'labels = { team = "a" }')
HOURLY = 'critical = "4h", warning = "8h"'

SILENCES = [
    Scene(
        "it begins before, and what still fires is told at its end",
        "9x2 1x6 9",
        "5 critical late, 8 resolved recovered",
        edits="8 resolved recovered",
        acts={1: silence(steps=4)},
        why={2: "an upgrade", 5: "everybody knows"},
    ),
    Scene(
        "it begins while the alert is pending",
        "2x8 9",
        "6 warning late, 8 resolved recovered",
        edits="8 resolved recovered",
        rules=rule(LEVELS + 'for = "3m"'),
        acts={1: silence()},
        why={3: "an upgrade", 6: "everybody knows"},
    ),
    Scene(
        "it begins while the alert fires, and the end is told",
        "1x7 9",
        "0 critical, 7 resolved recovered",
        edits="2 critical, 7 resolved recovered",
        acts={2: silence(steps=10)},
    ),
    Scene(
        "reminders wait for its end",
        "1x8 9",
        "0 critical, 6 reminder critical, 8 resolved recovered",
        edits="2 critical, 6 critical, 8 resolved recovered",
        every="1h",
        remind=HOURLY,
        acts={2: silence(steps=4)},
        why={0: "reminded at", 2: "reminders wait", 6: "reminded at"},
    ),
    Scene(
        "it begins while the alert recovers",
        "1 5x5",
        "0 critical, 4 resolved recovered",
        edits="2 critical, 4 resolved recovered",
        rules=KEEP_3,
        acts={2: silence(steps=10)},
        why={1: "recovering"},
    ),
    Scene("born and resolved inside is nothing", "9 1x2 9x5", acts={0: silence()}, why={1: "an upgrade"}),
    Scene(
        "born twice inside and firing at its end is told once",
        "9 1 9 1x5 9",
        "6 critical late, 8 resolved recovered",
        edits="8 resolved recovered",
        acts={1: silence()},
        why={1: "an upgrade", 6: "everybody knows"},
    ),
    Scene(
        "escalated inside and back is nothing",
        "2 1x2 2x4 9",
        "0 warning, 7 resolved recovered",
        edits="1 critical, 3 warning, 4 warning, 7 resolved recovered",
        acts={1: silence(steps=3)},
        why={1: "an upgrade", 3: "everybody knows"},
    ),
    Scene(
        "escalated inside and still so is told at its end",
        "2 1x5 9",
        "0 warning, 4 escalated critical, 6 resolved recovered",
        edits="1 critical, 4 critical, 6 resolved recovered",
        acts={1: silence(steps=3)},
        why={1: "an upgrade", 4: "everybody knows"},
    ),
    Scene(
        "the worst of the night is not told, but the present",
        "9 2 1x2 2x3 9",
        "5 warning late, 7 resolved recovered",
        edits="7 resolved recovered",
        acts={1: silence(steps=4)},
        why={1: "an upgrade", 5: "everybody knows"},
    ),
    Scene(
        "ended by hand",
        "9 1x5 9",
        "3 critical, 6 resolved recovered",
        edits="6 resolved recovered",
        acts={0: silence(steps=60), 3: silence_ends()},
        why={1: "an upgrade", 3: "everybody knows"},
    ),
    Scene(
        "of two that overlap the longer one counts",
        "9x2 1x6 9",
        "6 critical late, 8 resolved recovered",
        edits="8 resolved recovered",
        acts={1: silence(steps=3), 2: silence(steps=4)},
        why={2: "an upgrade", 6: "everybody knows"},
    ),
    Scene(
        "below critical holds a warning back, and critical is no escalation then",
        "2x2 1x2 2 9",
        "2 critical, 5 resolved recovered",
        edits="4 warning, 5 resolved recovered",
        acts={0: silence(steps=10, below=Level.CRITICAL)},
        why={0: "an upgrade", 2: "everybody knows"},
    ),
    Scene(
        "by a label that the rule has not",
        "1x3 9",
        "0 critical, 3 resolved recovered",
        edits="3 resolved recovered",
        rules=TEAM_A,
        acts={0: silence("*", team="b")},
    ),
    Scene("by a label that it has", "1x3 9", rules=TEAM_A, acts={0: silence("*", team="a")}, why={0: "an upgrade"}),
    Scene(
        "of one rule, and another one is told",
        "1x3 9",
        "0 critical r-other, 3 resolved recovered r-other",
        edits="3 resolved recovered r-other",
        rules=rule() + rule(name="r-other"),
        acts={0: silence()},
        why={0: "an upgrade"},
    ),
    Scene(
        "of one subject, and the other one is told",
        {"numbers.remaining": "9x4", "agt_1": "700x4", "agt_2": "700x4"},
        "0 warning it/agt_2",
        every="5m",
        rules='[rules.it]\nvalue = "agent.totalSeconds"\neach = "agent"\nwarning = "> 10m"\n',
        acts={0: silence("main/it/agt_1", steps=9)},
        about=AlertKey("main", "it", "agt_1"),
        why={0: "an upgrade"},
    ),
    Scene(
        "it begins while nobody can be reached",
        "9 1x7 9",
        "6 critical late, 8 resolved recovered",
        edits="8 resolved recovered",
        acts={1: turns(Mood.DOWN), 2: silence(steps=4), 3: turns(Mood.OK)},
        why={1: "is tried again", 2: "an upgrade", 6: "everybody knows"},
    ),
    Scene(
        "an end that could not be delivered before it is told in it",
        "9 1x2 9x5",
        "1 critical, 5 resolved recovered",
        edits="5 resolved recovered",
        acts={2: turns(Mood.DOWN), 4: silence(), 5: turns(Mood.OK)},
        why={3: "is tried again"},
    ),
    Scene(
        "it begins while the firing is under way, which counts as told",
        "9 1x2 9x3",
        "1 critical, 3 resolved recovered",
        bot="",
        mail="",
        acts={1: in_flight("hook", silence(steps=10))},
        why={2: "held back from bot, mail"},
    ),
    Scene(
        "the firing was swallowed before it began, so it comes once more where it cannot be found, and the end is told",
        "9 1x2 9x3",
        "1 critical, 2 critical, 3 resolved recovered",
        bot="1 critical, 3 >resolved recovered",
        mail="1 critical, 2 critical, 3 >resolved recovered",
        edits="2 critical, 3 resolved recovered",
        acts={1: turns(Mood.SWALLOWS), 2: [turns(Mood.OK), silence(steps=10)]},
    ),
    Scene(
        "the firing was swallowed and is over before anybody answers again",
        "9 1x2 9x3",
        "1 critical, 4 resolved recovered late",
        bot="1 critical, 4 >resolved recovered",
        mail="1 critical, 4 resolved recovered late",
        edits="4 resolved recovered",
        acts={1: turns(Mood.SWALLOWS), 2: [turns(Mood.DOWN), silence(steps=10)], 4: turns(Mood.OK)},
        why={2: "an upgrade", 3: "bot is tried again"},
    ),
    Scene(
        "the firing was lost before it began",
        "9 1x6 9",
        "2 critical, 7 resolved recovered",
        bot="5 critical late, 7 >resolved recovered",
        edits="7 resolved recovered",
        acts={1: turns(Mood.LOSES), 2: [turns(Mood.OK), silence(steps=3)]},
        why={1: "is tried again", 2: "an upgrade", 5: "everybody knows"},
    ),
]

NIGHTS = '[quiet.nights]\nfrom = "22:00"\nto = "06:00"\n'
SMALL_HOURS = '[quiet.nights]\nfrom = "01:00"\nto = "04:00"\ntz = "Europe/Berlin"\n'
QUIET = rule(LEVELS + 'quiet = ["nights"]')

WINDOWS = [
    Scene(
        "across midnight",
        "9x3 2x9 9",
        "10 warning late, 12 resolved recovered",
        edits="12 resolved recovered",
        rules=NIGHTS + QUIET,
        every="1h",
        at=datetime(2026, 11, 23, 20, 30, tzinfo=UTC),
        why={3: "quiet window nights", 10: "everybody knows"},
    ),
    Scene(
        "critical passes",
        "9x3 2 1x2 2 9",
        "4 critical, 7 resolved recovered",
        edits="6 warning, 7 resolved recovered",
        rules=NIGHTS + QUIET,
        every="1h",
        at=datetime(2026, 11, 23, 20, 30, tzinfo=UTC),
        why={3: "quiet window nights", 4: "everybody knows"},
    ),
    Scene(
        "a night with an hour more",
        "9 2x6 9",
        "5 warning late, 7 resolved recovered",
        edits="7 resolved recovered",
        rules=SMALL_HOURS + QUIET,
        every="1h",
        at=datetime(2026, 10, 24, 22, 30, tzinfo=UTC),
        why={1: "quiet window nights", 5: "everybody knows"},
    ),
    Scene(
        "a night with an hour less",
        "9 2x4 9",
        "3 warning late, 5 resolved recovered",
        edits="5 resolved recovered",
        rules=SMALL_HOURS + QUIET,
        every="1h",
        at=datetime(2026, 3, 28, 23, 30, tzinfo=UTC),
        why={1: "quiet window nights", 3: "everybody knows"},
    ),
    Scene(
        "for counts inside",
        "9 2x9 9",
        "5 warning, 10 resolved recovered",
        edits="10 resolved recovered",
        rules='[quiet.nights]\nfrom = "14:06"\nto = "14:10"\n' + rule(LEVELS + 'quiet = ["nights"]\nfor = "3m"'),
        why={4: "quiet window nights", 5: "everybody knows"},
    ),
    Scene(
        "what was told before it is told as ended in it",
        "2x6 9",
        "0 warning, 6 resolved recovered",
        edits="6 resolved recovered",
        rules='[quiet.nights]\nfrom = "14:06"\nto = "15:10"\n' + QUIET,
    ),
    Scene(
        "a reminder is due in a night with an hour more",
        "2x9 9",
        "0 warning, 7 reminder warning, 9 resolved recovered",
        edits="9 resolved recovered",
        rules=SMALL_HOURS + QUIET,
        every="1h",
        remind='critical = "3h", warning = "3h"',
        at=datetime(2026, 10, 24, 20, 30, tzinfo=UTC),
    ),
]


@told_as_promised([*SILENCES, *WINDOWS])
async def test_a_mute_holds_back_firings_and_no_ends(scene: Scene, tmp_path: Path, *, restarts: bool) -> None:
    await plays(scene, tmp_path, restarts=restarts)
