"""Where two promises meet: mutes and outages, edits and mutes, flapping and edits."""

from pathlib import Path

from guard.model import AlertKey, Level
from tests.scenarios.acts import ack, edits, silence, silence_ends, turns
from tests.scenarios.receivers import Mood
from tests.scenarios.stage import CHANNELS, LEVELS, Scene, plays, rule, told_as_promised

HOOK = 'notify = ["hook"]\n'
OTHER_RULE = rule('warning = "< 1"', name="r-new")
TEA = '[quiet.tea]\nfrom = "14:05"\nto = "14:15"\n'
HOURLY = 'critical = "4h", warning = "off"'
THREE_TIMES = "0 critical, 1 resolved recovered, 2 critical, 3 resolved recovered, 4 critical, 5 resolved recovered"
THREADS = THREE_TIMES.replace("resolved", ">resolved")
EDITED = "1 resolved recovered, 3 resolved recovered, 5 resolved recovered"


def without_bot(channels: str) -> str:
    """The channels but the bot's."""
    before, _, rest = channels.partition("[channels.bot]")
    return before + rest[rest.index("[channels.mail]") :]


def with_bot(_: str) -> str:
    return CHANNELS


def without_bob(channels: str) -> str:
    return channels.replace(', "bob@example.com"', "")


SCENES = [
    Scene(
        "a rise that was missed is told although it fell again meanwhile",
        "9 2 1 2x3 9",
        "1 warning, 3 escalated critical, 6 resolved recovered",
        edits="6 resolved recovered",
        acts={2: turns(Mood.DOWN), 3: turns(Mood.OK)},
        why={1: "everybody knows", 2: "is tried again", 3: "everybody knows"},
    ),
    Scene(
        "silenced, and a rule that is removed meanwhile is told as ended to who knew",
        "1x6",
        "0 critical, 3 resolved rule removed",
        edits="1 critical, 3 resolved rule removed",
        acts={1: silence(steps=20), 3: edits(rules=OTHER_RULE)},
    ),
    Scene(
        "silenced before it fired, and a rule that is removed meanwhile is nothing",
        "9 1x6",
        acts={0: silence(steps=20), 3: edits(rules=OTHER_RULE)},
        why={1: "an upgrade"},
    ),
    Scene(
        "a rule that is removed while nobody can be reached is told as ended afterwards",
        "1x6",
        "0 critical, 4 resolved rule removed",
        edits="4 resolved rule removed",
        acts={1: turns(Mood.DOWN), 2: edits(rules=OTHER_RULE), 4: turns(Mood.OK)},
        why={2: "is tried again"},
    ),
    Scene(
        "a rule that is removed before its firing could be delivered is one message",
        "9 1x6",
        "4 resolved rule removed late",
        acts={1: turns(Mood.DOWN), 2: edits(rules=OTHER_RULE), 4: turns(Mood.OK)},
        why={1: "is tried again"},
    ),
    Scene(
        "a rule that is renamed while it is silenced is told at the end of that",
        "9 1x7 9",
        "5 critical r-new late, 8 resolved recovered r-new",
        edits="8 resolved recovered r-new",
        acts={0: silence("main/*"), 2: edits(rules=rule(LEVELS + 'renamed_from = "it"\n', name="r-new"))},
        about=AlertKey("main", "r-new"),
        why={2: "an upgrade", 5: "everybody knows"},
    ),
    Scene(
        "who is newly routed while it is silenced is told at the end of that",
        "1x7 9",
        "0 critical, 7 resolved recovered",
        bot="5 critical late, 7 >resolved recovered",
        mail="5 critical late, 7 >resolved recovered",
        edits="7 resolved recovered",
        rules=rule(LEVELS + HOOK),
        acts={1: silence(steps=4), 2: edits(rules=rule())},
        why={2: "an upgrade", 5: "everybody knows"},
    ),
    Scene(
        "who is newly routed while it is acknowledged is told, and reminded of nothing",
        "1x9 9",
        "0 critical, 9 resolved recovered",
        bot="2 critical late, 9 >resolved recovered",
        mail="2 critical late, 9 >resolved recovered",
        edits="9 resolved recovered",
        every="1h",
        remind=HOURLY,
        rules=rule(LEVELS + HOOK),
        acts={1: ack(), 2: edits(rules=rule())},
        why={0: "reminded at", 1: "reminders wait: acknowledged by bob"},
    ),
    Scene(
        "acknowledged and silenced, and the ack is longer",
        "1x9 9",
        "0 critical, 9 resolved recovered",
        edits="1 critical, 2 critical, 5 critical, 9 resolved recovered",
        every="1h",
        remind=HOURLY,
        acts={1: ack(), 2: silence(steps=3)},
        why={0: "reminded at", 1: "reminders wait: acknowledged by bob"},
    ),
    Scene(
        "an ack does not keep a rise in a silence from being told afterwards",
        "2x3 1x5 9",
        "0 warning, 6 escalated critical, 8 resolved recovered",
        edits="1 warning, 2 warning, 3 critical, 6 critical, 8 resolved recovered",
        acts={1: ack(), 2: silence(steps=4)},
        why={0: "everybody knows", 3: "an upgrade", 6: "everybody knows"},
    ),
    Scene(
        "a channel that is taken out and put back is told anew",
        "1x6 9",
        "0 critical, 6 resolved recovered",
        bot="0 critical, 4 critical late, 6 >resolved recovered",
        edits="6 resolved recovered",
        acts={
            2: edits(channels=without_bot, notify=("hook", "mail")),
            4: edits(channels=with_bot, notify=("hook", "bot", "mail")),
        },
    ),
    Scene(
        "an address that is taken out is told nothing more",
        "1x4 9",
        "0 critical, 4 resolved recovered",
        bob="0 critical",
        edits="4 resolved recovered",
        acts={2: edits(channels=without_bob)},
    ),
    Scene(
        "flapping, and its rule is removed",
        "1 9 1 9 1 9 1 9 1x2",
        THREE_TIMES + ", 6 flapping, 9 resolved rule removed",
        bot=THREADS + ", 6 flapping, 9 resolved rule removed",
        mail=THREADS + ", 6 flapping, 9 resolved rule removed",
        edits=EDITED + ", 9 resolved recovered",
        acts={9: edits(rules=OTHER_RULE)},
        why={6: "it flaps"},
    ),
    Scene(
        "flapping that was silenced all the time and is at rest again is nothing more",
        "1 9 1 9 1 9 1 9x34",
        THREE_TIMES,
        edits=EDITED,
        acts={6: silence(steps=60)},
        why={6: "an upgrade", 7: "told when it fires again"},
    ),
    Scene(
        "flapping that gets worse in a silence is told as it is at its end",
        "2 9 2 9 2 9 2 9 1x6 9",
        THREE_TIMES.replace("critical", "warning") + ", 6 flapping, 12 escalated critical, 14 resolved recovered",
        bot=THREE_TIMES.replace("critical", "warning").replace("resolved", ">resolved")
        + ", 6 flapping, 12 escalated critical, 14 >resolved recovered",
        mail=THREE_TIMES.replace("critical", "warning").replace("resolved", ">resolved")
        + ", 6 flapping, 12 escalated critical, 14 >resolved recovered",
        edits=EDITED + ", 12 resolved recovered, 14 resolved recovered",
        acts={7: silence()},
        why={8: "an upgrade", 12: "everybody knows"},
    ),
    Scene(
        "a silence that begins and is ended while the alert is pending holds nothing back",
        "2x8 9",
        "5 warning, 8 resolved recovered",
        edits="8 resolved recovered",
        rules=rule(LEVELS + 'for = "5m"'),
        acts={1: silence(steps=20), 4: silence_ends()},
    ),
    Scene(
        "a silence that ends while nobody can be reached is no message lost",
        "9 1x8 9",
        "7 critical late, 9 resolved recovered",
        edits="9 resolved recovered",
        acts={1: silence(steps=3), 3: turns(Mood.DOWN), 7: turns(Mood.OK)},
        why={1: "an upgrade", 4: "is tried again", 7: "everybody knows"},
    ),
    Scene(
        "a silence ends without an answer, and it is told all the same",
        "9 1x2 _x2 1x2 9",
        "4 critical late, 7 resolved recovered",
        edits="7 resolved recovered",
        acts={1: silence(steps=3)},
        why={1: "an upgrade", 5: "everybody knows"},
    ),
    Scene(
        "below critical: a rise passes, and the fall and the end of the silence tell nothing",
        "2x2 1x2 2x4 9",
        "0 warning, 2 escalated critical, 8 resolved recovered",
        edits="1 warning, 2 critical, 4 warning, 7 warning, 8 resolved recovered",
        acts={1: silence(steps=6, below=Level.CRITICAL)},
    ),
    Scene(
        "below critical goes by the level that a channel is told of",
        "1x6 9",
        "0 critical, 6 resolved recovered",
        bot="",
        mail="4 warning late, 6 >resolved recovered",
        rules=rule(LEVELS + 'notify = { warning = ["mail"], critical = ["hook"] }'),
        acts={0: silence(steps=4, below=Level.CRITICAL)},
        why={1: "an upgrade", 4: "everybody knows"},
    ),
    Scene(
        "a channel of critical alone missed an end, and is back while the next one is a warning",
        "9 1x2 9 2x3 9",
        "1 critical, 3 resolved recovered, 4 warning, 7 resolved recovered",
        bot="",
        mail="1 critical, 5 >resolved recovered",
        rules=rule(LEVELS + 'notify = { warning = ["hook"], critical = ["hook", "mail"] }'),
        acts={2: turns(Mood.DOWN, "mail"), 5: turns(Mood.OK)},
    ),
    Scene(
        "a rule that is renamed while some channels are down",
        "9 1x6 9",
        "5 critical r-new late, 7 resolved recovered r-new",
        mail="1 critical, 7 >resolved recovered r-new",
        edits="7 resolved recovered r-new",
        acts={
            1: turns(Mood.DOWN, "hook", "bot"),
            3: edits(rules=rule(LEVELS + 'renamed_from = "it"\n', name="r-new")),
            5: turns(Mood.OK),
        },
        about=AlertKey("main", "r-new"),
        why={3: "is tried again", 5: "everybody knows"},
    ),
    Scene(
        "flapping in a quiet window, and a silence behind it",
        "2 9 2 9 2 9 2 9 2x12",
        "14 flapping",
        rules=TEA + rule(LEVELS + 'quiet = ["tea"]'),
        acts={8: silence(steps=6)},
        why={0: "quiet window tea", 10: "an upgrade", 14: "it flaps"},
    ),
    Scene(
        "flapping that was told fires and is stable in a silence",
        "1 9 1 9 1 9 1 9 1x40 9",
        THREE_TIMES + ", 6 flapping, 44 critical, 48 resolved recovered",
        bot=THREADS + ", 6 flapping, 44 critical, 48 >resolved recovered",
        mail=THREADS + ", 6 flapping, 44 critical, 48 >resolved recovered",
        edits=EDITED + ", 44 resolved recovered, 48 resolved recovered",
        acts={9: silence(steps=35)},
        why={38: "an upgrade", 44: "everybody knows"},
    ),
    Scene(
        "flapping that a channel could not be told of is broken by a rise",
        "2 9 2 9 2 9 2 1x4 9",
        THREE_TIMES.replace("critical", "warning") + ", 9 critical, 11 resolved recovered",
        bot=THREADS.replace("critical", "warning") + ", 6 flapping, 7 >escalated critical!, 11 >resolved recovered",
        mail=THREADS.replace("critical", "warning") + ", 6 flapping, 7 >escalated critical, 11 >resolved recovered",
        edits=EDITED + ", 7 critical, 11 resolved recovered",
        acts={6: turns(Mood.DOWN, "hook"), 9: turns(Mood.OK)},
        why={8: "hook is tried again", 9: "everybody knows"},
    ),
]


@told_as_promised(SCENES)
async def test_two_promises_hold_together(scene: Scene, tmp_path: Path, *, restarts: bool) -> None:
    await plays(scene, tmp_path, restarts=restarts)
