"""Reminders that meet something else: a channel that is down, an ack, a fall, a route that leads elsewhere."""

from pathlib import Path

from tests.scenarios.acts import ack, edits, in_flight, silence, turns
from tests.scenarios.receivers import Mood
from tests.scenarios.stage import LEVELS, Scene, plays, rule, told_as_promised

CRITICAL = 'critical = "4m", warning = "off"'
BOTH = 'critical = "4m", warning = "4m"'
APART = 'notify = { warning = ["hook"], critical = ["hook", "mail"] }\n'
WITHOUT_HOOK = 'notify = ["bot", "mail"]\n'
CAPPED = 'remind = { critical = "off" }\n'
KEEP_5 = 'keep_firing_for = "5m"\n'
QUIET = '[quiet.tea]\nfrom = "14:06"\nto = "14:17"\n'
FOUR = "".join(rule(name=f"r-{number}") for number in (1, 2, 3, 4))
ENDS = ", ".join(f"7 resolved recovered r-{number}" for number in (1, 2, 3, 4))

WAITING = [
    Scene(
        "one that waits is taken back by an ack",
        "1x10 9",
        "0 critical, 10 resolved recovered",
        bot="0 critical, 4 >reminder critical!, 10 >resolved recovered",
        mail="0 critical, 4 >reminder critical, 10 >resolved recovered",
        edits="5 critical, 10 resolved recovered",
        remind=CRITICAL,
        acts={3: turns(Mood.DOWN, "hook"), 5: ack(), 6: turns(Mood.OK)},
    ),
    Scene(
        "one that waits when a silence begins is sent at the end of that",
        "1x11 9",
        "0 critical, 8 reminder critical, 11 resolved recovered",
        bot="0 critical, 4 >reminder critical!, 8 >reminder critical!, 11 >resolved recovered",
        mail="0 critical, 4 >reminder critical, 8 >reminder critical, 11 >resolved recovered",
        edits="5 critical, 8 critical, 11 resolved recovered",
        remind=CRITICAL,
        acts={3: turns(Mood.DOWN, "hook"), 5: silence(steps=3), 6: turns(Mood.OK)},
    ),
    Scene(
        "one that waits is nothing when the alert falls to a level that nobody is reminded of",
        "1x5 2x4 9",
        "0 critical, 9 resolved recovered",
        bot="0 critical, 4 >reminder critical!, 9 >resolved recovered",
        mail="0 critical, 4 >reminder critical, 9 >resolved recovered",
        edits="5 warning, 9 resolved recovered",
        remind=CRITICAL,
        acts={3: turns(Mood.DOWN, "hook"), 6: turns(Mood.OK)},
    ),
    Scene(
        "one that waits is nothing when the alert recovers",
        "1x5 5x6",
        "0 critical, 10 resolved recovered",
        bot="0 critical, 4 >reminder critical!, 10 >resolved recovered",
        mail="0 critical, 4 >reminder critical, 10 >resolved recovered",
        edits="10 resolved recovered",
        rules=rule(LEVELS + KEEP_5),
        remind=CRITICAL,
        acts={3: turns(Mood.DOWN, "hook"), 6: turns(Mood.OK)},
        why={5: "recovering"},
    ),
    Scene(
        "one that waits is nothing when the alert falls to a level that does not lead there",
        "2 1x5 2x5 9",
        "0 warning, 1 escalated critical, 5 reminder critical, 9 reminder warning, 11 resolved recovered",
        bot="",
        mail="1 critical, 11 >resolved recovered",
        rules=rule(LEVELS + APART),
        remind=BOTH,
        acts={4: turns(Mood.DOWN, "mail"), 7: turns(Mood.OK)},
    ),
    Scene(
        "one that waits is held back when the alert falls in a quiet window",
        "1x6 2x8 9",
        "0 critical, 12 reminder warning, 14 resolved recovered",
        bot="0 critical, 4 >reminder critical!, 12 >reminder warning!, 14 >resolved recovered",
        mail="0 critical, 4 >reminder critical, 12 >reminder warning, 14 >resolved recovered",
        edits="6 warning, 14 resolved recovered",
        rules=QUIET + rule(LEVELS + 'quiet = ["tea"]'),
        remind=BOTH,
        acts={3: turns(Mood.DOWN, "hook"), 7: turns(Mood.OK)},
        why={5: "hook is tried again", 6: "everybody knows"},
    ),
    Scene(
        "one that waits is nothing when reminders are switched off",
        "1x8 9",
        "0 critical, 8 resolved recovered",
        bot="0 critical, 4 >reminder critical!, 8 >resolved recovered",
        mail="0 critical, 4 >reminder critical, 8 >resolved recovered",
        edits="8 resolved recovered",
        remind=CRITICAL,
        acts={3: turns(Mood.DOWN, "hook"), 5: edits(rules=rule(LEVELS + CAPPED)), 6: turns(Mood.OK)},
    ),
    Scene(
        "one that waits is nothing when the rule is routed elsewhere",
        "1x7 9",
        "0 critical, 7 resolved recovered",
        bot="0 critical, 4 >reminder critical!, 7 >resolved recovered",
        mail="0 critical, 4 >reminder critical, 7 >resolved recovered",
        edits="7 resolved recovered",
        remind=CRITICAL,
        acts={3: turns(Mood.DOWN, "hook"), 5: edits(rules=rule(LEVELS + WITHOUT_HOOK)), 6: turns(Mood.OK)},
    ),
    Scene(
        "one that was swallowed before an ack, and the ack is over",
        "1x17 9",
        "0 critical, 4 reminder critical, 9 reminder critical, 13 reminder critical, 17 resolved recovered",
        edits="5 critical, 9 critical, 17 resolved recovered",
        remind=CRITICAL,
        acts={4: turns(Mood.SWALLOWS), 5: [turns(Mood.OK), ack(steps=4)]},
    ),
    Scene(
        "one that is under way when an ack begins, and the ack is over",
        "1x17 9",
        "0 critical, 4 reminder critical, 9 reminder critical, 13 reminder critical, 17 resolved recovered",
        bot="0 critical, 9 >reminder critical!, 13 >reminder critical!, 17 >resolved recovered",
        mail="0 critical, 9 >reminder critical, 13 >reminder critical, 17 >resolved recovered",
        edits="4 critical, 9 critical, 17 resolved recovered",
        remind=CRITICAL,
        acts={4: in_flight("hook", ack(steps=5))},
    ),
]

OTHERS = [
    Scene(
        "a channel that hears of critical alone is not reminded of a warning",
        "2 1 2x8 9",
        "0 warning, 1 escalated critical, 5 reminder warning, 9 reminder warning, 10 resolved recovered",
        bot="",
        mail="1 critical, 10 >resolved recovered",
        rules=rule(LEVELS + APART),
        remind=BOTH,
    ),
    Scene(
        "after a digest each is reminded of by itself",
        "1x7 9",
        "1 digest critical of 4, "
        + ", ".join(f"5 reminder critical r-{number}" for number in (1, 2, 3, 4))
        + f", {ENDS}",
        edits=ENDS,
        rules=FOUR,
        remind=CRITICAL,
        acts={0: turns(Mood.DOWN), 1: turns(Mood.OK)},
    ),
    Scene(
        "after an ack of the incident before, which was over in an outage",
        "1x2 9 1x6 9",
        "0 critical, 4 critical after others, 8 reminder critical, 9 resolved recovered",
        edits="1 critical, 4 resolved recovered, 9 resolved recovered",
        remind=CRITICAL,
        acts={1: ack(), 2: turns(Mood.DOWN), 4: turns(Mood.OK)},
        why={2: "is tried again", 4: "everybody knows"},
    ),
]


@told_as_promised([*WAITING, *OTHERS])
async def test_reminders_are_of_what_is_true_by_then(scene: Scene, tmp_path: Path, *, restarts: bool) -> None:
    await plays(scene, tmp_path, restarts=restarts)
