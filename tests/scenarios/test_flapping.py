"""Flapping: four incidents in an hour are one message, until it is stable or gets worse."""

from pathlib import Path

from guard.model import AlertKey
from tests.scenarios.acts import edits, silence, turns
from tests.scenarios.receivers import Mood
from tests.scenarios.stage import LEVELS, Scene, plays, rule, told_as_promised

THREE_TIMES = "0 critical, 1 resolved recovered, 2 critical, 3 resolved recovered, 4 critical, 5 resolved recovered"
IN_THREADS = THREE_TIMES.replace("resolved", ">resolved")
EDITED = "1 resolved recovered, 3 resolved recovered, 5 resolved recovered"
OF_AGENT = ", ".join(
    f"{step} warning it/agt_1, {step + 1} resolved recovered it/agt_1" for step in (0, 2, 4)
)  # the same of a subject
FIRST = 'notify = ["hook"]\n'

SCENES = [
    Scene("three times in an hour is not yet flapping", "1 9 1 9 1 9x2", THREE_TIMES, edits=EDITED),
    Scene(
        "stable at rest for thirty minutes is over",
        "1 9 1 9 1 9 1 9x32",
        THREE_TIMES + ", 6 flapping, 37 resolved recovered",
        edits=EDITED + ", 37 resolved recovered",
    ),
    Scene(
        "stable and firing for thirty minutes fires",
        "1 9 1 9 1 9 1 9 1x32 9",
        THREE_TIMES + ", 6 flapping, 38 critical, 40 resolved recovered",
        bot=IN_THREADS + ", 6 flapping, 38 critical, 40 >resolved recovered",
        mail=IN_THREADS + ", 6 flapping, 38 critical, 40 >resolved recovered",
        edits=EDITED + ", 38 resolved recovered, 40 resolved recovered",
        why={6: "it flaps", 38: "everybody knows"},
    ),
    Scene(
        "a rise breaks it",
        "2 9 2 9 2 9 2 1 9",
        THREE_TIMES.replace("critical", "warning") + ", 6 flapping, 7 escalated critical, 8 resolved recovered",
        edits=EDITED + ", 7 critical, 8 resolved recovered",
    ),
    Scene(
        "silenced when it is found, and told once at the end of that",
        "1 9 1 9 1 9 1x8",
        THREE_TIMES + ", 11 flapping",
        edits=EDITED,
        acts={6: silence()},
        why={6: "an upgrade", 11: "it flaps"},
    ),
    Scene(
        "a subject that is gone is never seen to be stable, so its end is told",
        {"numbers.remaining": "9x13", "agt_1": "700 5 700 5 700 5 700x2 -1x5", "agt_2": "5x13"},
        OF_AGENT + ", 6 flapping it/agt_1, 10 resolved subject gone it/agt_1",
        bot=OF_AGENT.replace("resolved", ">resolved") + ", 6 flapping it/agt_1, 10 >resolved subject gone it/agt_1",
        mail=OF_AGENT.replace("resolved", ">resolved") + ", 6 flapping it/agt_1, 10 >resolved subject gone it/agt_1",
        edits="1 resolved recovered it/agt_1, 3 resolved recovered it/agt_1, 5 resolved recovered it/agt_1,"
        "10 resolved subject gone it/agt_1",
        every="5m",
        rules='[rules.it]\nvalue = "agent.totalSeconds"\neach = "agent"\nwarning = "> 10m"\n',
        about=AlertKey("main", "it", "agt_1"),
        why={6: "it flaps", 8: "unknown"},
    ),
    Scene(
        "who is newly routed is told that it flaps",
        "1 9 1 9 1 9 1x5",
        THREE_TIMES + ", 6 flapping",
        rules=rule(LEVELS + FIRST),
        bot="8 flapping",
        mail="8 flapping",
        acts={8: edits(rules=rule())},
        why={6: "it flaps"},
    ),
    Scene(
        "while nobody can be reached it is one message afterwards",
        "1 9 1 9 1 9 1x6",
        "0 critical, 1 resolved recovered, 2 critical, 3 resolved recovered, 4 critical, 9 flapping after others",
        edits="1 resolved recovered, 3 resolved recovered, 9 resolved recovered",
        acts={5: turns(Mood.DOWN), 9: turns(Mood.OK)},
        why={5: "is tried again", 9: "it flaps"},
    ),
]


@told_as_promised(SCENES)
async def test_flapping_is_told_once(scene: Scene, tmp_path: Path, *, restarts: bool) -> None:
    await plays(scene, tmp_path, restarts=restarts)
