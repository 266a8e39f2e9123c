"""Storms: many alerts at once are few messages, and afterwards each speaks for itself."""

from pathlib import Path

from guard.model import AlertKey
from tests.scenarios.acts import edits, refuses, revives, silence, takes_all, turns
from tests.scenarios.receivers import Mood
from tests.scenarios.stage import LEVELS, Scene, plays, rule, told_as_promised


def rules(count: int, *more: str) -> str:
    return "".join([*(rule(name=f"r-{number:02}") for number in range(1, count + 1)), *more])


def each(what: str, *numbers: int) -> str:
    return ", ".join(f"{what} r-{number:02}" for number in numbers)


def own(*numbers: int, more: str = "") -> str:
    """Rules that look at a field of their own each."""
    return "".join(rule(f'value = "stats.f{number:02}"\n{LEVELS}{more}', name=f"r-{number:02}") for number in numbers)


def says(count: int, text: str, **others: str) -> dict[str, str]:
    return {f"stats.f{number:02}": text for number in range(1, count + 1)} | {
        f"stats.{name}": each for name, each in others.items()
    }


HOOK_FAILS = "guard.channel_failing/hook"
MAIL_FAILS = "guard.channel_failing/mail"
FIFTH = AlertKey("main", "r-05")
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
    Scene(
        "of seven at once the worst does not wait",
        says(6, "2x2", f07="1x2"),
        "0 critical r-07, " + each("0 warning", 1, 2) + ", 0 digest warning of 4",
        rules=own(*range(1, 8)),
    ),
    Scene(
        "one of a digest is silenced before it goes out, and told at the end of that",
        says(5, "1x6"),
        "2 digest critical of 4, 4 critical r-05 late",
        rules=own(1, 2, 3, 4, 5),
        acts={0: turns(Mood.DOWN), 1: silence("main/r-05", steps=3), 2: turns(Mood.OK)},
        about=FIFTH,
        why={0: "is tried again", 1: "an upgrade", 4: "everybody knows"},
    ),
    Scene(
        "a digest that one address refuses, and what it heard nothing of when it takes mail again",
        says(4, "1x6", f05="1x3 9x3"),
        each("0 critical", 1, 2, 3, 4, 5)
        + f", 1 critical {MAIL_FAILS}, 3 resolved recovered r-05, 5 resolved recovered {MAIL_FAILS}",
        mail=f"1 digest critical of 5, 1 critical {MAIL_FAILS}, 3 resolved recovered r-05,"
        f"5 >resolved recovered {MAIL_FAILS}",
        bob="5 digest critical of 5",
        edits=f"3 resolved recovered r-05, 5 resolved recovered {MAIL_FAILS}",
        rules=own(1, 2, 3, 4, 5),
        acts={
            0: turns(Mood.DOWN, "mail"),
            1: [turns(Mood.OK), refuses("bob@example.com")],
            5: [takes_all(), revives("mail")],
        },
        about=FIFTH,
        why={0: "is tried again", 1: "mail (bob@example.com) refused it", 5: "everybody knows"},
    ),
    Scene(
        "a digest that was swallowed, and one of it is over meanwhile",
        says(4, "1x4", f05="1x2 9x2"),
        "1 digest critical of 5, 2 digest critical of 5",
        bot="1 digest critical of 5, 2 resolved recovered r-05",
        rules=own(1, 2, 3, 4, 5),
        acts={0: turns(Mood.DOWN), 1: turns(Mood.SWALLOWS), 2: turns(Mood.OK)},
        about=FIFTH,
        why={0: "is tried again", 1: "whether it has arrived", 2: "everybody knows"},
    ),
    Scene(
        "a rule of a digest is removed before it goes out",
        says(5, "1x4"),
        "2 digest critical of 5",
        rules=own(1, 2, 3, 4, 5),
        acts={0: turns(Mood.DOWN), 1: edits(rules=own(1, 2, 3, 4)), 2: turns(Mood.OK)},
    ),
    Scene(
        "the fallback gets a digest of what a channel refuses",
        says(5, "1x6 9"),
        "4 digest critical of 5, " + each("6 resolved recovered", 1, 2, 3, 4, 5),
        bot=f"0 critical {HOOK_FAILS}, 4 >resolved recovered {HOOK_FAILS}",
        mail=f"0 digest critical of 6, 4 resolved recovered {HOOK_FAILS}, "
        + each("6 resolved recovered", 1, 2, 3, 4, 5),
        edits=f"4 resolved recovered {HOOK_FAILS}",
        rules=own(1, 2, 3, 4, 5, more='notify = ["hook"]\n'),
        more='fallback = ["mail"]\n',
        acts={0: turns(Mood.REFUSES, "hook"), 4: [turns(Mood.OK), revives("hook")]},
        about=FIFTH,
        why={0: "hook refused it", 4: "everybody knows"},
    ),
]


@told_as_promised(SCENES)
async def test_a_storm_is_few_messages(scene: Scene, tmp_path: Path, *, restarts: bool) -> None:
    await plays(scene, tmp_path, restarts=restarts)
