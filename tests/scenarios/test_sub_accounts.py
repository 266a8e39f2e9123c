"""Sub-accounts that go and come back, what is told of them in an outage of their key, and what is their own."""

from pathlib import Path

from guard.model import AlertKey
from tests.scenarios.acts import lists, silence, turns, unlisted
from tests.scenarios.receivers import Mood
from tests.scenarios.stage import LEFT, LEVELS, Scene, plays, rule, told_as_promised

ALL = 'sub_accounts = "all"\n'
ACME = AlertKey("main:acme", "it")
OWN = '[accounts.main.sub.acme]\nnotify = ["mail"]\n'


def says(acme: str, *, main: str = "9x99") -> dict[str, str]:
    """What is left of the account, of one sub-account, and of another one that is always well."""
    return {LEFT: main, f"acme:{LEFT}": acme, f"well:{LEFT}": "9x99"}


SCENES = [
    Scene(
        "three listings without it end what fires",
        says("1x7"),
        "0 critical main:acme, 4 resolved account removed main:acme",
        edits="4 resolved account removed main:acme",
        every="5m",
        account=ALL,
        acts={2: lists("well")},
        about=ACME,
    ),
    Scene(
        "listings that are cut, empty or missing count for nothing, and it is back before the third",
        says("1x14"),
        "0 critical main:acme",
        every="5m",
        account=ALL,
        acts={
            1: lists("well", is_complete=False),
            4: lists(),
            7: unlisted(),
            10: lists("well"),
            12: lists("acme", "well"),
        },
        about=ACME,
    ),
    Scene(
        "gone in a silence in which it fired is nothing",
        says("1x7"),
        every="5m",
        account=ALL,
        acts={0: silence("main:*/*", steps=20), 2: lists("well")},
        about=ACME,
        why={0: "an upgrade"},
    ),
    Scene(
        "gone while nobody can be reached is told afterwards",
        says("1x8"),
        "0 critical main:acme, 6 resolved account removed main:acme",
        edits="6 resolved account removed main:acme",
        every="5m",
        account=ALL,
        acts={2: lists("well"), 3: turns(Mood.DOWN), 6: turns(Mood.OK)},
        about=ACME,
        why={4: "is tried again", 6: "everybody knows"},
    ),
    Scene(
        "a silence that ends while the account gives no answer",
        says("1x12", main="9 _x8 9x3"),
        "3 critical guard.no_data, 3 critical main:acme late, 10 resolved recovered guard.no_data",
        edits="10 resolved recovered guard.no_data",
        account=ALL,
        acts={0: silence("main:acme/*", steps=3)},
        about=ACME,
        why={0: "an upgrade", 3: "main:acme is left alone while main fails", 9: "everybody knows"},
    ),
    Scene(
        "reminders wait while the account gives no answer",
        says("1x9", main="9 _x5 9x3"),
        "0 critical main:acme, 3 critical guard.no_data, 6 reminder critical main:acme,"
        "7 resolved recovered guard.no_data",
        edits="7 resolved recovered guard.no_data",
        every="5m",
        remind='critical = "25m", warning = "off"',
        account=ALL,
        about=ACME,
        why={0: "reminded at", 1: "main:acme is left alone while main fails", 6: "reminded at"},
    ),
    Scene(
        "eight at once are three messages and a digest",
        {LEFT: "9x3", **{f"s{number}:{LEFT}": "1x2 9" for number in range(8)}},
        "0 critical main:s0, 0 critical main:s1, 0 critical main:s2, 0 digest critical of 5,"
        "2 resolved recovered main:s0, 2 resolved recovered main:s1, 2 resolved recovered main:s2,"
        "2 digest resolved of 5",
        edits="2 resolved recovered main:s0, 2 resolved recovered main:s1, 2 resolved recovered main:s2",
        account=ALL,
    ),
    Scene(
        "notify of its own, of its account, and of all",
        dict.fromkeys((LEFT, f"acme:{LEFT}", f"well:{LEFT}"), "2x2 9"),
        "0 warning, 0 warning main:well, 2 resolved recovered, 2 resolved recovered main:well",
        bot="",
        mail="0 warning main:acme, 2 >resolved recovered main:acme",
        rules=rule(LEVELS),
        account=ALL + 'notify = ["hook"]\n' + OWN,
    ),
]


@told_as_promised(SCENES)
async def test_sub_accounts_are_told_of_like_accounts(scene: Scene, tmp_path: Path, *, restarts: bool) -> None:
    await plays(scene, tmp_path, restarts=restarts)
