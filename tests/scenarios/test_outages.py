"""Outages: channels that are down for hours or a day, that refuse, and what they are told afterwards."""

from pathlib import Path

from guard.model import AlertKey
from tests.scenarios.acts import deletes_messages, edits, refuses, revives, turns
from tests.scenarios.receivers import Mood
from tests.scenarios.stage import LEVELS, Scene, plays, rule, told_as_promised


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
        "two that wait for the same channel wait for one another",
        "9 1x5 9",
        "4 critical r-2 late, 4 critical r-1 late, 6 resolved recovered r-1, 6 resolved recovered r-2",
        edits="6 resolved recovered r-1, 6 resolved recovered r-2",
        rules=rule(name="r-1") + rule(name="r-2"),
        acts={1: turns(Mood.DOWN), 4: turns(Mood.OK)},
        about=AlertKey("main", "r-1"),
        why={1: "hook is tried again in 1 min", 4: "everybody knows"},
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
        "all channels are down for a while, and there again together",
        "9 1x8 9",
        "6 critical late, 9 resolved recovered",
        edits="9 resolved recovered",
        every="5m",
        acts={1: turns(Mood.DOWN), 6: turns(Mood.OK)},
        about=AlertKey("main", "guard.channel_failing", "mail"),
        why={4: "who was out of reach too hears of it after that, if it fails still: hook, bot"},
    ),
    Scene(
        "of two that are down together the first one to be there again is told of the other",
        "9 1x9 9",
        "6 critical late, 6 warning guard.channel_failing/mail late, 8 resolved recovered guard.channel_failing/mail,"
        "10 resolved recovered",
        bot="1 critical, 4 warning guard.channel_failing/hook, 4 warning guard.channel_failing/mail,"
        "6 >resolved recovered guard.channel_failing/hook, 8 >resolved recovered guard.channel_failing/mail,"
        "10 >resolved recovered",
        mail="8 critical late, 10 >resolved recovered",
        edits="6 resolved recovered guard.channel_failing/hook, 8 resolved recovered guard.channel_failing/mail,"
        "10 resolved recovered",
        every="5m",
        acts={1: turns(Mood.DOWN, "hook", "mail"), 6: turns(Mood.OK, "hook"), 8: turns(Mood.OK)},
        why={1: "is tried again", 8: "everybody knows"},
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
        why={
            1: "hook is tried again",
            25: "hook did not take it for 1 day, so that it was given up",
            26: "hook is tried again",
            27: "everybody knows",
        },
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
    Scene(
        "a reminder that waits for a channel that fails is nothing for the fallback",
        "1x22 9",
        "0 critical, 21 reminder critical, 22 resolved recovered",
        bot="19 warning guard.channel_failing/hook, 21 >resolved recovered guard.channel_failing/hook",
        mail="19 warning guard.channel_failing/hook, 21 >resolved recovered guard.channel_failing/hook",
        edits="21 resolved recovered guard.channel_failing/hook",
        rules=rule(LEVELS + 'notify = ["hook"]'),
        more='fallback = ["mail"]\n',
        remind='critical = "4m", warning = "off"',
        acts={3: turns(Mood.DOWN, "hook"), 21: turns(Mood.OK)},
        why={4: "hook is tried again", 21: "everybody knows"},
    ),
    Scene(
        "the fallback is told of a rise that a channel that fails was not told of",
        "2x3 1x25 9",
        "0 warning, 24 escalated critical, 28 resolved recovered",
        bot="18 warning guard.channel_failing/hook, 24 >resolved recovered guard.channel_failing/hook",
        mail="18 critical, 18 warning guard.channel_failing/hook,"
        "24 >resolved recovered guard.channel_failing/hook, 28 >resolved recovered",
        edits="24 resolved recovered guard.channel_failing/hook",
        rules=rule(LEVELS + 'notify = ["hook"]'),
        more='fallback = ["mail"]\n',
        acts={3: turns(Mood.DOWN, "hook"), 24: turns(Mood.OK)},
        why={3: "hook is tried again", 24: "everybody knows"},
    ),
    Scene(
        "a bot's message that is gone is found so by an edit, which tells nobody",
        "1x3 2x2 9",
        "0 critical, 5 resolved recovered",
        bot="0 critical, 5 resolved recovered",
        acts={2: deletes_messages()},
    ),
]


@told_as_promised(SCENES)
async def test_after_an_outage_there_is_the_one_truth_of_now(scene: Scene, tmp_path: Path, *, restarts: bool) -> None:
    await plays(scene, tmp_path, restarts=restarts)
