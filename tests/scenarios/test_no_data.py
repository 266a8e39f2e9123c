"""No data, and clocks that jump: nothing fires and nothing ends by what nobody knows."""

from datetime import timedelta
from pathlib import Path

from guard.model import AlertKey
from tests.scenarios.acts import account_is, jumps, key_is, later
from tests.scenarios.stage import LEVELS, Scene, plays, rule, told_as_promised

NO_DATA = AlertKey("main", "guard.no_data")
SUBS = 'sub_accounts = "all"\n'
HOURLY = 'critical = "4h", warning = "off"'
FOR_3 = rule(LEVELS + 'for = "3m"')

SCENES = [
    Scene(
        "three minutes without an answer",
        "9x2 _x5 9x3",
        "4 critical guard.no_data, 8 resolved recovered guard.no_data",
        edits="8 resolved recovered guard.no_data",
        about=NO_DATA,
    ),
    Scene(
        "two minutes without one are nothing",
        "9x2 _x2 9x3",
        about=NO_DATA,
    ),
    Scene(
        "a key that is refused is told at once, and of the master account alone",
        {"numbers.remaining": "9x10", "acme:numbers.remaining": "9x10"},
        "2 critical guard.no_data, 8 resolved recovered guard.no_data",
        edits="8 resolved recovered guard.no_data",
        account=SUBS,
        acts={2: key_is(refused=True), 3: key_is(refused=False)},
        about=NO_DATA,
    ),
    Scene(
        "an outage of all that share a key is one alert",
        {"numbers.remaining": "9x2 _x6 9x3", "acme:numbers.remaining": "9x2 _x6 9x3"},
        "4 critical guard.no_data, 9 resolved recovered guard.no_data",
        edits="9 resolved recovered guard.no_data",
        account=SUBS,
        about=NO_DATA,
    ),
    Scene(
        "one sub-account alone has an alert of its own",
        {"numbers.remaining": "9x12", "acme:numbers.remaining": "9x2 _x6 9x4"},
        "4 critical main:acme, 9 resolved recovered main:acme",
        edits="9 resolved recovered main:acme",
        account=SUBS,
        about=AlertKey("main:acme", "guard.no_data"),
    ),
    Scene(
        "what fires neither ends nor is reminded of meanwhile",
        "1x2 _x8 1x4",
        "0 critical, 4 critical guard.no_data, 8 reminder critical guard.no_data, 11 reminder critical,"
        "11 resolved recovered guard.no_data",
        edits="11 resolved recovered guard.no_data",
        every="1h",
        remind=HOURLY,
        why={0: "reminded at", 2: "gives no good answer", 4: "lost", 11: "reminded at"},
    ),
    Scene(
        "a rule that is unknown for a quarter of an hour",
        "1 -1x17 1x2",
        "0 critical, 16 warning guard.no_data, 18 resolved recovered guard.no_data",
        edits="18 resolved recovered guard.no_data",
        why={1: "unknown", 18: "everybody knows"},
    ),
    Scene(
        "unknown, then lost, then unknown again",
        {"stats.a": "9x30", "numbers.remaining": "9 -1x17 _x4 -1x4 9x4"},
        "16 warning guard.no_data, 20 escalated critical guard.no_data, 26 resolved recovered guard.no_data",
        edits="20 critical guard.no_data, 23 warning guard.no_data, 26 resolved recovered guard.no_data",
        about=NO_DATA,
    ),
    Scene(
        "no_data_after is shortened in an outage",
        "9x2 _x8 9x3",
        "5 critical guard.no_data, 11 resolved recovered guard.no_data",
        edits="11 resolved recovered guard.no_data",
        account='no_data_after = "30m"\n',
        acts={5: account_is('no_data_after = "3m"\n')},
        about=NO_DATA,
    ),
    Scene(
        "a clock that goes back ends nothing and tells nothing",
        "1x6 9",
        "0 critical, 6 resolved recovered",
        edits="6 resolved recovered",
        acts={3: jumps(hours=-5)},
    ),
    Scene(
        "a clock that goes forward lets nothing ripen by that",
        "2x6",
        "4 warning",
        rules=FOR_3,
        acts={2: jumps(hours=2)},
    ),
    Scene(
        "a clock that goes back lets nothing ripen by that",
        "2x6",
        "4 warning",
        rules=FOR_3,
        acts={2: jumps(hours=-2)},
    ),
    Scene(
        "five hours of suspend are one reminder",
        "1x6 9",
        "0 critical, 3 reminder critical, 6 resolved recovered",
        edits="6 resolved recovered",
        remind=HOURLY,
        acts={3: later(timedelta(hours=5))},
        why={0: "reminded at"},
    ),
    Scene(
        "five hours of suspend are no lost data",
        "9x6",
        "",
        acts={3: later(timedelta(hours=5))},
        about=NO_DATA,
    ),
]


@told_as_promised(SCENES)
async def test_what_nobody_knows_tells_nothing(scene: Scene, tmp_path: Path, *, restarts: bool) -> None:
    await plays(scene, tmp_path, restarts=restarts)
