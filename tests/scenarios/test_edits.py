"""Edits of the rule file while an alert fires, and every reason for which one can be over."""

from pathlib import Path

from guard.model import AlertKey
from tests.scenarios.acts import edits
from tests.scenarios.stage import LEVELS, Scene, plays, rule, told_as_promised
from tests.wiring import NOWHERE

TEXT = 'summary = "{numbers.remaining} left"\n'
SHARE = 'value = "numbers.used / numbers.limit"\nwarning = "> 80%"\n'
OTHER = f'[accounts.other]\napi_key = "${{API_KEY}}"\nbase_url = "{NOWHERE}"\n'
HOOK = 'notify = ["hook"]\n'
USED = "numbers.used"
A, B = (f'value = "stats.{field}"\n{LEVELS}' for field in "ab")

SCENES = [
    Scene(
        "another text edits the message and tells nobody",
        "1x5",
        "0 critical",
        edits="2 critical",
        acts={2: edits(rules=rule(LEVELS + TEXT))},
    ),
    Scene(
        "another value is no reason to edit it",
        "1 0 1 0 1",
        "0 critical",
        rules=rule(LEVELS + TEXT),
    ),
    Scene(
        "a threshold that leaves the lower level",
        "1x5 9",
        "0 critical, 5 resolved recovered",
        edits="2 warning, 5 resolved recovered",
        acts={2: edits(rules=rule('warning = "< 3"\ncritical = "< 1"\n'))},
    ),
    Scene(
        "a threshold that is worse at once",
        "2x5",
        "0 warning, 2 escalated critical",
        edits="2 critical",
        acts={2: edits(rules=rule('warning = "< 4"\ncritical = "< 3"\n'))},
    ),
    Scene(
        "rule changed",
        "2x5",
        "0 warning, 2 resolved rule changed",
        edits="2 resolved rule changed",
        acts={2: edits(rules=rule('warning = "< 1"\n'))},
    ),
    Scene(
        "rule disabled",
        "2x5",
        "0 warning, 2 resolved rule disabled",
        edits="2 resolved rule disabled",
        acts={2: edits(rules=rule(LEVELS + "enabled = false\n"))},
    ),
    Scene(
        "rule removed",
        "2x5",
        "0 warning, 2 resolved rule removed",
        edits="2 resolved rule removed",
        acts={2: edits(rules=rule(name="r-new", lines='warning = "< 1"'))},
    ),
    Scene(
        "account removed",
        "2x5",
        "0 warning, 2 resolved account removed",
        edits="2 resolved account removed",
        acts={2: edits(has_main=False, others=OTHER, rules=rule('warning = "< 1"'))},
    ),
    Scene(
        "no longer applies",
        {"numbers.remaining": "2x5", USED: "5x3 0x2"},
        "0 warning, 3 resolved no longer applies",
        edits="3 resolved no longer applies",
        rules=rule(LEVELS + 'when = "numbers.used > 0"\n'),
    ),
    Scene(
        "limit changed",
        {USED: "10x5", "numbers.limit": "12x2 24x3"},
        "0 warning, 2 resolved limit changed",
        edits="2 resolved limit changed",
        rules=rule(SHARE),
    ),
    Scene(
        "new period",
        {USED: "10x2 3x3", "period": "1x2 20x3"},
        "0 warning, 2 resolved new period",
        edits="2 resolved new period",
        rules=rule('value = "numbers.used * (1 + 0 * period.elapsed)"\nwarning = "> 5"'),
    ),
    Scene(
        "new period while it recovers",
        {USED: "10x2 3x4", "period": "1x2 20x4"},
        "0 warning, 4 resolved new period",
        edits="4 resolved new period",
        rules=rule('value = "numbers.used * (1 + 0 * period.elapsed)"\nwarning = "> 5"\nkeep_firing_for = "2m"'),
        why={2: "recovering"},
    ),
    Scene(
        "two rules that swap names in three edits",
        {"stats.a": "1x6 9", "stats.b": "2x6 9"},
        "0 critical r-1, 0 warning r-2, 6 resolved recovered r-2, 6 resolved recovered r-1",
        edits="1 critical r-tmp, 2 warning r-1, 3 critical r-2, 6 resolved recovered r-2, 6 resolved recovered r-1",
        rules=rule(A, name="r-1") + rule(B, name="r-2"),
        acts={
            1: edits(rules=rule(A + 'renamed_from = "r-1"\n', name="r-tmp") + rule(B, name="r-2")),
            2: edits(rules=rule(A, name="r-tmp") + rule(B + 'renamed_from = "r-2"\n', name="r-1")),
            3: edits(rules=rule(A + 'renamed_from = "r-tmp"\n', name="r-2") + rule(B, name="r-1")),
        },
    ),
    Scene(
        "subject gone",
        {"numbers.remaining": "9x6", "agt_1": "700x2 -1x4", "agt_2": "5x6"},
        "0 warning it/agt_1, 4 resolved subject gone it/agt_1",
        bot="0 warning it/agt_1, 4 >resolved subject gone it/agt_1",
        mail="0 warning it/agt_1, 4 >resolved subject gone it/agt_1",
        edits="4 resolved subject gone it/agt_1",
        every="5m",
        rules='[rules.it]\nvalue = "agent.totalSeconds"\neach = "agent"\nwarning = "> 10m"\n',
        about=AlertKey("main", "it", "agt_1"),
        why={2: "unknown"},
    ),
    Scene(
        "a rule that is renamed goes on",
        "2x5 9",
        "0 warning, 5 resolved recovered r-new",
        bot="0 warning, 5 >resolved recovered r-new",
        mail="0 warning, 5 >resolved recovered r-new",
        edits="2 warning r-new, 5 resolved recovered r-new",
        acts={2: edits(rules=rule(LEVELS + 'renamed_from = "it"\n', name="r-new"))},
        about=AlertKey("main", "r-new"),
    ),
    Scene(
        "who is newly routed is told once",
        "1x5 9",
        "0 critical, 5 resolved recovered",
        bot="2 critical, 5 >resolved recovered",
        mail="2 critical, 5 >resolved recovered",
        edits="5 resolved recovered",
        rules=rule(LEVELS + HOOK),
        acts={2: edits(rules=rule())},
    ),
    Scene(
        "who is no longer routed is told of the end",
        "2x3 1x3 9",
        "0 warning, 3 escalated critical, 6 resolved recovered",
        bot="0 warning, 6 >resolved recovered",
        mail="0 warning, 6 >resolved recovered",
        edits="3 critical, 6 resolved recovered",
        acts={1: edits(rules=rule(LEVELS + HOOK))},
    ),
    Scene(
        "removed and put back is a new incident",
        "2x5 9",
        "0 warning, 1 resolved rule removed, 3 warning, 5 resolved recovered",
        edits="1 resolved rule removed, 5 resolved recovered",
        acts={1: edits(rules=rule('warning = "< 1"', name="r-new")), 3: edits(rules=rule())},
    ),
    Scene(
        "a shorter time while the alert is pending",
        "9 2x7",
        "4 warning",
        rules=rule(LEVELS + 'for = "5m"'),
        acts={4: edits(rules=rule(LEVELS + 'for = "3m"'))},
    ),
    Scene(
        "a longer keep_firing_for while the alert recovers",
        "1 5x8",
        "0 critical, 6 resolved recovered",
        edits="6 resolved recovered",
        rules=rule(LEVELS + 'keep_firing_for = "3m"'),
        acts={3: edits(rules=rule(LEVELS + 'keep_firing_for = "5m"'))},
        why={1: "recovering"},
    ),
]


@told_as_promised(SCENES)
async def test_an_edit_tells_what_it_changes_and_nothing_else(scene: Scene, tmp_path: Path, *, restarts: bool) -> None:
    await plays(scene, tmp_path, restarts=restarts)
