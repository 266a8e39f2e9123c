"""Acks: nobody is reminded of what somebody has seen."""

from pathlib import Path

from tests.scenarios.acts import ack, unack
from tests.scenarios.stage import Scene, plays, told_as_promised

HOURLY = 'critical = "4h", warning = "2h", max = 6'

SCENES = [
    Scene(
        "it stops reminders until the end",
        "1x12 9",
        "0 critical, 12 resolved recovered",
        edits="1 critical, 12 resolved recovered",
        every="1h",
        remind=HOURLY,
        acts={1: ack()},
        why={0: "reminded at", 1: "reminders wait: acknowledged by bob"},
    ),
    Scene(
        "a rise breaks it for good",
        "2x2 1x2 2x6 9",
        "0 warning, 2 escalated critical, 4 reminder warning, 6 reminder warning, 8 reminder warning,"
        "10 resolved recovered",
        edits="1 warning, 2 critical, 4 warning, 10 resolved recovered",
        every="1h",
        remind=HOURLY,
        acts={1: ack()},
        why={0: "reminded at", 1: "reminders wait: acknowledged by bob", 2: "reminded at"},
    ),
    Scene(
        "for a given time",
        "1x9 9",
        "0 critical, 7 reminder critical, 9 resolved recovered",
        edits="1 critical, 7 critical, 9 resolved recovered",
        every="1h",
        remind=HOURLY,
        acts={1: ack(steps=6)},
        why={0: "reminded at", 1: "reminders wait: acknowledged by bob", 7: "reminded at"},
    ),
    Scene(
        "taken back",
        "1x6 9",
        "0 critical, 5 reminder critical, 6 resolved recovered",
        edits="1 critical, 5 critical, 6 resolved recovered",
        every="1h",
        remind=HOURLY,
        acts={1: ack(), 5: unack()},
        why={0: "reminded at", 1: "reminders wait: acknowledged by bob", 5: "reminded at"},
    ),
    Scene(
        "the next incident knows nothing of it",
        "1x3 9 1x5 9",
        "0 critical, 3 resolved recovered, 4 critical, 8 reminder critical, 9 resolved recovered",
        edits="1 critical, 3 resolved recovered, 9 resolved recovered",
        every="1h",
        remind=HOURLY,
        acts={1: ack()},
        why={0: "reminded at", 1: "reminders wait: acknowledged by bob", 4: "reminded at"},
    ),
    Scene(
        "of a critical that falls and rises again it goes on",
        "1x3 2x3 1x6 9",
        "0 critical, 12 resolved recovered",
        edits="1 critical, 3 warning, 6 critical, 12 resolved recovered",
        every="1h",
        remind=HOURLY,
        acts={1: ack()},
        why={0: "reminded at", 1: "reminders wait: acknowledged by bob"},
    ),
]


@told_as_promised(SCENES)
async def test_an_ack_stops_reminders_and_nothing_else(scene: Scene, tmp_path: Path, *, restarts: bool) -> None:
    await plays(scene, tmp_path, restarts=restarts)
