"""Outages: channels that are down for hours or a day, that refuse, and what they are told afterwards."""

from pathlib import Path

from tests.scenarios.acts import deletes_messages, edits, refuses, revives, turns
from tests.scenarios.receivers import Mood
from tests.scenarios.stage import Scene, plays, told_as_promised


def other_hook(channels: str) -> str:
    """The same channels, of which the hook mentions somebody."""
    return channels.replace("[channels.bot]", 'mention = { critical = "<!here>" }\n[channels.bot]')


SCENES = [
    Scene(
        "over before the firing could be delivered is one message",
        "9 1x2 9x3",
        "4 resolved recovered late",
        acts={1: turns(Mood.DOWN), 4: turns(Mood.OK)},
        why={1: "is tried again"},
    ),
    Scene(
        "several incidents that were missed are one message",
        "9 1 9 1 9 1 9x2",
        "7 resolved recovered late after others",
        acts={1: turns(Mood.DOWN), 7: turns(Mood.OK)},
        why={1: "is tried again"},
    ),
    Scene(
        "the end of one and the next one are one message",
        "9 1x2 9 1x4",
        "1 critical, 5 critical after others",
        edits="5 resolved recovered",
        acts={2: turns(Mood.DOWN), 5: turns(Mood.OK)},
        why={1: "everybody knows", 3: "is tried again", 5: "everybody knows"},
    ),
    Scene(
        "a rise that was missed is no second message",
        "9 2 1x3 9",
        "3 critical, 5 resolved recovered",
        edits="5 resolved recovered",
        acts={1: turns(Mood.DOWN), 3: turns(Mood.OK)},
        why={1: "is tried again", 3: "everybody knows"},
    ),
    Scene(
        "what was swallowed is found by a bot, and comes twice elsewhere",
        "9 1x3 9",
        "1 critical, 2 critical, 4 resolved recovered",
        bot="1 critical, 4 >resolved recovered",
        mail="1 critical, 2 critical, 4 >resolved recovered",
        edits="4 resolved recovered",
        acts={1: turns(Mood.SWALLOWS), 2: turns(Mood.OK)},
    ),
    Scene(
        "what was lost comes once",
        "9 1x3 9",
        "2 critical, 4 resolved recovered",
        edits="4 resolved recovered",
        acts={1: turns(Mood.LOSES), 2: turns(Mood.OK)},
        why={1: "is tried again", 2: "everybody knows"},
    ),
    Scene(
        "a bot's message that is gone gets a new root",
        "9 2x2 1 9",
        "1 warning, 3 escalated critical, 4 resolved recovered",
        bot="1 warning, 3 escalated critical, 4 >resolved recovered",
        edits="4 resolved recovered",
        acts={2: deletes_messages()},
    ),
    Scene(
        "reminders that were missed are one",
        "1x20 9",
        "0 critical, 13 reminder critical, 17 reminder critical, 20 resolved recovered",
        bot="0 critical, 4 >reminder critical!, 5 warning guard.channel_failing/hook, 8 >reminder critical!,"
        "12 >reminder critical!, 13 >resolved recovered guard.channel_failing/hook, 16 >reminder critical!,"
        "20 >resolved recovered",
        mail="0 critical, 4 >reminder critical, 5 warning guard.channel_failing/hook, 8 >reminder critical,"
        "12 >reminder critical, 13 >resolved recovered guard.channel_failing/hook, 16 >reminder critical,"
        "20 >resolved recovered",
        edits="13 resolved recovered guard.channel_failing/hook, 20 resolved recovered",
        every="1h",
        remind='critical = "4h", warning = "off"',
        acts={3: turns(Mood.DOWN, "hook"), 13: turns(Mood.OK)},
        why={0: "reminded at", 5: "hook is tried again", 13: "reminded at"},
    ),
    Scene(
        "one channel down for three hours while the others work",
        "9 2x2 1x7 9x10 1x20 9",
        "37 critical late after others, 40 resolved recovered",
        bot="1 warning, 3 >escalated critical!, 4 warning guard.channel_failing/hook, 10 >resolved recovered,"
        "20 critical, 37 >resolved recovered guard.channel_failing/hook, 40 >resolved recovered",
        mail="1 warning, 3 >escalated critical, 4 warning guard.channel_failing/hook, 10 >resolved recovered,"
        "20 critical, 37 >resolved recovered guard.channel_failing/hook, 40 >resolved recovered",
        edits="3 critical, 10 resolved recovered, 37 resolved recovered guard.channel_failing/hook,"
        "40 resolved recovered",
        every="5m",
        acts={1: turns(Mood.DOWN, "hook"), 37: turns(Mood.OK)},
        why={1: "hook is tried again", 37: "everybody knows"},
    ),
    Scene(
        "down for a day and more, and there again within the hour",
        "9 1x27 9",
        "27 critical late, 28 resolved recovered",
        bot="1 critical, 2 warning guard.channel_failing/hook, 25 >escalated critical guard.channel_failing/hook!,"
        "27 >resolved recovered guard.channel_failing/hook, 28 >resolved recovered",
        mail="1 critical, 2 warning guard.channel_failing/hook, 25 >escalated critical guard.channel_failing/hook,"
        "27 >resolved recovered guard.channel_failing/hook, 28 >resolved recovered",
        edits="25 critical guard.channel_failing/hook, 27 resolved recovered guard.channel_failing/hook,"
        "28 resolved recovered",
        every="1h",
        acts={1: turns(Mood.DOWN, "hook"), 27: turns(Mood.OK)},
        why={1: "hook is tried again", 25: "given up after 1 day", 26: "hook is tried again", 27: "everybody knows"},
    ),
    Scene(
        "a channel that refuses, until the rule file says another one",
        "9 1x5 9",
        "4 critical late, 6 resolved recovered",
        bot="1 critical, 1 critical guard.channel_failing/hook, 4 >resolved recovered guard.channel_failing/hook,"
        "6 >resolved recovered",
        mail="1 critical, 1 critical guard.channel_failing/hook, 4 >resolved recovered guard.channel_failing/hook,"
        "6 >resolved recovered",
        edits="4 resolved recovered guard.channel_failing/hook, 6 resolved recovered",
        acts={1: turns(Mood.REFUSES, "hook"), 4: [turns(Mood.OK), edits(channels=other_hook)]},
        why={2: "hook refused it", 4: "everybody knows"},
    ),
    Scene(
        "a channel that refuses, until somebody tries whether it works",
        "9 1x2 9 1 9",
        "4 critical after others, 5 resolved recovered",
        bot="1 critical, 1 critical guard.channel_failing/hook, 3 >resolved recovered, 4 critical,"
        "4 >resolved recovered guard.channel_failing/hook, 5 >resolved recovered",
        mail="1 critical, 1 critical guard.channel_failing/hook, 3 >resolved recovered, 4 critical,"
        "4 >resolved recovered guard.channel_failing/hook, 5 >resolved recovered",
        edits="3 resolved recovered, 4 resolved recovered guard.channel_failing/hook, 5 resolved recovered",
        acts={1: turns(Mood.REFUSES, "hook"), 4: [turns(Mood.OK), revives("hook")]},
        why={1: "hook refused it"},
    ),
    Scene(
        "one address is refused, and the other is not",
        "9 1x2 9",
        "1 critical, 1 critical guard.channel_failing/mail, 3 resolved recovered",
        bob="",
        edits="3 resolved recovered",
        acts={0: refuses("bob@example.com")},
        why={1: "mail (bob@example.com) refused it"},
    ),
]


@told_as_promised(SCENES)
async def test_after_an_outage_there_is_the_one_truth_of_now(scene: Scene, tmp_path: Path, *, restarts: bool) -> None:
    await plays(scene, tmp_path, restarts=restarts)
