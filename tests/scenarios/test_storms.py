"""Storms: many alerts at once are few messages, and afterwards each speaks for itself."""

from pathlib import Path

from tests.scenarios.acts import turns
from tests.scenarios.receivers import Mood
from tests.scenarios.stage import Scene, plays, rule, told_as_promised


def rules(count: int, *more: str) -> str:
    return "".join([*(rule(name=f"r-{number:02}") for number in range(1, count + 1)), *more])


def each(what: str, *numbers: int) -> str:
    return ", ".join(f"{what} r-{number:02}" for number in numbers)


OWN = rule('warning = "< 5"\ncritical = "< 2"\n', name="r-07")

SCENES = [
    Scene(
        "three at once are three messages",
        "1x2 9",
        each("0 critical", 1, 2, 3) + ", " + each("2 resolved recovered", 1, 2, 3),
        edits=each("2 resolved recovered", 1, 2, 3),
        rules=rules(3),
    ),
    Scene(
        "five are five, of which two wait for the end of the pass",
        "1x2",
        each("0 critical", 1, 2, 3, 4, 5),
        rules=rules(5),
    ),
    Scene(
        "seven are three and a digest, and so are their ends",
        "1x2 9",
        each("0 critical", 1, 2, 3)
        + ", 0 digest critical of 4, "
        + each("2 resolved recovered", 1, 2, 3)
        + ", 2 digest resolved of 4",
        edits=each("2 resolved recovered", 1, 2, 3),
        rules=rules(7),
    ),
    Scene(
        "after a digest each speaks for itself",
        "1x2 4x2 9",
        each("0 critical", 1, 2, 3)
        + ", 0 digest critical of 4, "
        + each("2 resolved recovered", 1, 2, 3, 4, 5, 6)
        + ", 4 resolved recovered r-07",
        bot=each("0 critical", 1, 2, 3)
        + ", 0 digest critical of 4, "
        + each("2 >resolved recovered", 1, 2, 3)
        + ", "
        + each("2 resolved recovered", 4, 5, 6)
        + ", 4 resolved recovered r-07",
        mail=each("0 critical", 1, 2, 3)
        + ", 0 digest critical of 4, "
        + each("2 >resolved recovered", 1, 2, 3)
        + ", "
        + each("2 resolved recovered", 4, 5, 6)
        + ", 4 resolved recovered r-07",
        edits=each("2 resolved recovered", 1, 2, 3),
        rules=rules(6, OWN),
    ),
    Scene(
        "thirty are three and a digest of the rest",
        "1x2",
        each("0 critical", 1, 2, 3) + ", 0 digest critical of 27",
        rules=rules(30),
    ),
    Scene(
        "what waits for a channel that was down is one digest",
        "1x3 9",
        "2 digest critical of 5, " + each("3 resolved recovered", 1, 2, 3, 4, 5),
        rules=rules(5),
        acts={0: turns(Mood.DOWN), 2: turns(Mood.OK)},
    ),
    Scene(
        "one that rose is escalated alone after a digest",
        {"numbers.remaining": "2x2 1x2", "numbers.used": "5x4"},
        "1 digest warning of 4, 2 escalated critical r-01",
        rules=rule(name="r-01") + "".join(rule('warning = "< 3"', name=f"r-{number:02}") for number in (2, 3, 4)),
        acts={0: turns(Mood.DOWN), 1: turns(Mood.OK)},
        bot="1 digest warning of 4, 2 escalated critical r-01",
        mail="1 digest warning of 4, 2 escalated critical r-01",
    ),
    Scene(
        "sub-accounts and their master are one pass",
        dict.fromkeys(("numbers.remaining", "a:numbers.remaining", "b:numbers.remaining"), "1x2"),
        "0 critical, 0 critical main:a, 0 critical main:b",
        account='sub_accounts = "all"\n',
    ),
]


@told_as_promised(SCENES)
async def test_a_storm_is_few_messages(scene: Scene, tmp_path: Path, *, restarts: bool) -> None:
    await plays(scene, tmp_path, restarts=restarts)
