"""`guard test`: files of rule tests, what they find, and what is wrong with them."""

import json
import re
from pathlib import Path

import pytest
from inline_snapshot import snapshot

from guard.errors import ExitCode
from tests.cli.conftest import Run

PROJECT = Path(__file__).parents[2]
SHIPPED = sorted([*(PROJECT / "tests" / "rule_tests").glob("*.test.toml"), *(PROJECT / "docs").glob("*.test.toml")])

HEAD = 'rules = "rules.toml"\n[[test]]\nname = "a story"\n'
STORY = '[test.scenario]\nseries."numbers.remaining" = "5x2 2 1 5"\n'
WARNED = '[[test.expect]]\nat = "2m"\nalert = "numbers-remaining"\nfired = "warning"\n'
RAISED = '[[test.expect]]\nat = "3m"\nalert = "numbers-remaining"\nescalated = "critical"\n'
OVER = '[[test.expect]]\nat = "4m"\nalert = "numbers-remaining"\nresolved = "recovered"\n'
GOOD = HEAD + STORY + WARNED + RAISED + OVER


def write(text: str) -> str:
    Path("rules.test.toml").write_text(text)
    return "rules.test.toml"


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.name)
def test_what_is_shipped_passes(guard: Run, path: Path) -> None:
    done = guard("test", str(path))
    assert (done.code, done.err) == (ExitCode.DONE, ""), done.out


@pytest.mark.usefixtures("rules")
def test_all_that_is_expected_and_nothing_else_passes(guard: Run) -> None:
    done = guard("test", write(GOOD))
    assert (done.code, done.err) == (ExitCode.DONE, "")
    assert done.out == snapshot("""\
rules.test.toml:2: a story: passed
1 test, 1 passed
""")


@pytest.mark.usefixtures("rules")
def test_on_a_narrow_terminal_expected_still_stands_beside_seen(guard: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLUMNS", "80")
    shown = guard("test", write(HEAD + STORY + WARNED + 'summary = "3 left"\ntold = []\n')).out
    assert re.sub(r"\x1b\[[0-9;]*m", "", shown) == snapshot("""\
rules.test.toml:2: a story: FAILED
          AT     ALERT              EXPECTED            SEEN                LINE
!! text   2 min  numbers-remaining  fired warning '3    fired warning '2    6
                                    left' to nobody     of 12 phone
                                                        numbers left' to
                                                        ops
!! extra  3 min  numbers-remaining  -                   escalated critical
!! extra  4 min  numbers-remaining  -                   resolved recovered

1 test, 0 passed
""")


@pytest.mark.usefixtures("rules")
def test_a_rule_file_is_told_from_a_file_of_tests(guard: Run) -> None:
    done = guard("test", "rules.toml")
    assert (done.code, done.out) == (ExitCode.CONFIG, "")
    assert done.err == snapshot(
        'guard: error: rules.toml: this is a rule file; a file of tests is another one, with rules = "rules.toml"\n'
    )


def test_a_rule_file_that_is_not_there_is_missed_where_it_is_named(guard: Run) -> None:
    done = guard("test", write(GOOD))
    assert (done.code, done.out) == (ExitCode.CONFIG, "")
    assert done.err == snapshot(
        "guard: error: rules.test.toml:1: there is no rule file rules.toml; rules is a path relative to this file\n"
    )


def test_variables_that_are_not_set_are_no_obstacle(guard: Run, rules: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AGENTPHONE_API_KEY")
    assert rules.exists()
    assert guard("test", write(GOOD)).code == ExitCode.DONE


@pytest.mark.usefixtures("rules")
def test_a_failure_shows_expected_beside_seen_on_one_timeline(guard: Run) -> None:
    late = RAISED.replace("3m", "4m") + 'told = ["ops"]\n'
    other = WARNED + 'summary = "3"\ntold = []\n'
    done = guard("test", write(HEAD + STORY + other + late))
    assert done.code == ExitCode.TEST_FAILED
    assert done.out == snapshot("""\
rules.test.toml:2: a story: FAILED
          AT     ALERT              EXPECTED                     SEEN                                               LINE
!! text   2 min  numbers-remaining  fired warning '3' to nobody  fired warning '2 of 12 phone numbers left' to ops  6
!! early  4 min  numbers-remaining  escalated critical to ops    escalated critical to ops at 3 min                 12
!! extra  4 min  numbers-remaining  -                            resolved recovered

1 test, 0 passed
""")


FAILURES = {
    "another level": (WARNED.replace("warning", "critical") + RAISED + OVER, "level"),
    "too early": (WARNED + RAISED.replace("3m", "4m") + OVER, "early"),
    "too late": (WARNED + RAISED.replace("3m", "1m") + OVER, "late"),
    "another text": (WARNED + 'summary = "3 left"\n' + RAISED + OVER, "text"),
    "another channel": (WARNED + "told = []\n" + RAISED + OVER, "told"),
    "another reason": (WARNED + RAISED + OVER.replace("recovered", "new period"), "reason"),
    "one too many": (WARNED + OVER, "extra"),
    "one that did not come": (WARNED + RAISED + OVER + OVER.replace("4m", "9m"), "missing"),
    "something else at that time": (WARNED + RAISED + OVER + RAISED.replace("3m", "2m"), "missing"),
}


@pytest.mark.usefixtures("rules")
@pytest.mark.parametrize("failure", FAILURES)
def test_a_failure_says_in_a_word_what_it_is_and_is_one_line(guard: Run, failure: str) -> None:
    expected, word = FAILURES[failure]
    done = guard("test", write(HEAD + STORY + expected), "--format", "json")
    assert done.code == ExitCode.TEST_FAILED
    (test,) = json.loads(done.out)["tests"]
    assert [each["miss"] for each in test["moments"] if not each["good"]] == [word]
    assert f"!! {word}  " in guard("test", "rules.test.toml").out


@pytest.mark.usefixtures("rules")
def test_several_files_are_played_one_after_another(guard: Run) -> None:
    Path("bad.test.toml").write_text(HEAD + STORY + WARNED)
    done = guard("test", write(GOOD), "bad.test.toml")
    assert done.code == ExitCode.TEST_FAILED
    assert done.out == snapshot("""\
rules.test.toml:2: a story: passed
bad.test.toml:2: a story: FAILED
          AT     ALERT              EXPECTED       SEEN                LINE
ok        2 min  numbers-remaining  fired warning  fired warning       6
!! extra  3 min  numbers-remaining  -              escalated critical
!! extra  4 min  numbers-remaining  -              resolved recovered

2 tests, 1 passed
""")
    assert guard("test", "rules.test.toml", "rules.test.toml").out.endswith("2 tests, 2 passed\n")
    assert guard("test").code == ExitCode.USAGE
    assert guard("test", "rules.test.toml", "rules.toml").code == ExitCode.CONFIG


@pytest.mark.usefixtures("rules")
def test_a_test_that_is_not_strict_lets_other_things_happen(guard: Run) -> None:
    lax = HEAD + "strict = false\n" + STORY + WARNED
    assert guard("test", write(lax)).code == ExitCode.DONE
    assert guard("test", write(lax.replace("false", "true"))).code == ExitCode.TEST_FAILED


@pytest.mark.usefixtures("rules")
def test_nothing_is_an_expectation_too(guard: Run) -> None:
    never = '[[test.expect]]\nalert = "numbers-remaining"\nnothing = true\n'
    then = never.replace("alert", 'at = "3m"\nalert')
    calm = HEAD + '[test.scenario]\nseries."numbers.remaining" = "5x4"\n'
    assert guard("test", write(calm + never)).code == ExitCode.DONE
    assert guard("test", write(calm + then)).code == ExitCode.DONE
    done = guard("test", write(HEAD + STORY + never))
    assert done.code == ExitCode.TEST_FAILED
    assert done.out == snapshot("""\
rules.test.toml:2: a story: FAILED
          AT     ALERT              EXPECTED  SEEN                LINE
!! extra  2 min  numbers-remaining  nothing   fired warning       6
!! extra  3 min  numbers-remaining  nothing   escalated critical  6
!! extra  4 min  numbers-remaining  nothing   resolved recovered  6

1 test, 0 passed
""")


@pytest.mark.usefixtures("rules")
def test_one_document_for_machines(guard: Run) -> None:
    done = guard("test", write(GOOD.replace("2m", "1m")), "--format", "json")
    assert done.code == ExitCode.TEST_FAILED
    document = json.loads(done.out)
    assert (document["passed"], document["failed"]) == (0, 1)
    (test,) = document["tests"]
    assert (test["file"], test["line"], test["name"], test["passed"]) == ("rules.test.toml", 2, "a story", False)
    assert test["moments"][0] == snapshot(
        {
            "at": 60.0,
            "alert": "numbers-remaining",
            "subject": "",
            "expected": "fired warning",
            "seen": "fired warning at 2 min",
            "good": False,
            "miss": "late",
            "line": 6,
        }
    )


FAULTY = """
[[test.scenario.faults]]
from = "2m"
to = "6m"
{fault}
[[test.expect]]
at = "{at}"
alert = "guard.no_data"
fired = "critical"
summary = "{summary}"
"""


@pytest.mark.usefixtures("rules")
@pytest.mark.parametrize(
    ("fault", "at", "words"),
    [
        ("status = 503", "4m", "503 Service Unavailable"),
        ("status = 401", "2m", "refused the key"),
        ('kind = "hang"', "4m", "no whole answer"),
        ('kind = "reset"', "4m", "closed the connection"),
        ('status = 200\nbody = "truncated"', "4m", "cut short"),
        ('status = 200\nbody = "html"', "4m", "not the usage API"),
        ('status = 200\nbody = "empty"', "4m", "an empty answer"),
    ],
)
def test_faults_are_what_the_client_would_make_of_them(guard: Run, fault: str, at: str, words: str) -> None:
    text = HEAD + STORY.replace("5x2 2 1 5", "5x10") + FAULTY.format(fault=fault, at=at, summary="?")
    done = guard("test", write(text))
    assert "fired critical" in done.out
    assert words in done.out


@pytest.mark.usefixtures("rules")
def test_a_sub_account_that_is_not_there_is_refused(guard: Run, rules: Path) -> None:
    rules.write_text(rules.read_text().replace('every = "1s"', 'every = "1s"\nsub_accounts = "all"'))
    lost = '[[test.expect]]\nat = "3m"\nalert = "guard.no_data"\nfired = "critical"\nsummary = "?"\n'
    done = guard("test", write(HEAD + 'account = "main:acme"\n' + STORY + lost))
    assert "does not know sub-account acme" in done.out


@pytest.mark.usefixtures("rules")
def test_faults_of_siblings_leave_what_they_said_before(guard: Run, rules: Path) -> None:
    failing = '[rules.failing]\nvalue = "webhooks.failed"\nwarning = ">= 0"\n'
    rules.write_text(f"{rules.read_text()}\n{failing}")
    story = '[test.scenario]\nseries."numbers.remaining" = "5x30"\n'
    fault = '[[test.scenario.faults]]\nfrom = "5m"\npath = "/v1/webhooks/deliveries/stats"\nstatus = 503\n'
    fired = '[[test.expect]]\nat = "0m"\nalert = "failing"\nfired = "warning"\n'
    unknown = '[[test.expect]]\nat = "16m"\nalert = "failing"\nunknown = true\n'
    done = guard("test", write(HEAD + story + fault + fired + unknown))
    assert done.code == ExitCode.DONE, done.out


@pytest.mark.usefixtures("rules")
def test_a_sub_account_plays_its_own_story(guard: Run, rules: Path) -> None:
    text = rules.read_text().replace('every = "1s"', 'every = "1s"\nsub_accounts = "all"')
    rules.write_text(text)
    sub = '[test.scenario.sub.acme]\nseries."numbers.remaining" = "5x3 1"\n'
    fired = WARNED.replace("2m", "3m").replace("warning", "critical")
    story = HEAD + 'account = "main:acme"\n' + STORY + sub + fired
    done = guard("test", write(story))
    assert done.code == ExitCode.DONE, done.out
    unknown = guard("test", write(story.replace("main:acme", "main:other")))
    assert unknown.code == ExitCode.TEST_FAILED


@pytest.mark.usefixtures("rules")
def test_a_scenario_may_stand_in_a_file_of_its_own(guard: Run) -> None:
    Path("stories").mkdir()
    Path("stories/low.toml").write_text('[series]\n"numbers.remaining" = "5x2 2 1 5"\n')
    text = HEAD + 'scenario = "stories/low.toml"\n' + WARNED + RAISED + OVER
    assert guard("test", write(text)).code == ExitCode.DONE


MISTAKES = {
    "rules =\nx = 1\n": "rules.test.toml:1: ",
    "": "rules.test.toml: rules is missing",
    'rules = "rules.toml"\n': "rules.test.toml: there is no test; begin each with [[test]]",
    'rules = "rules.toml"\ntests = 1\n': "rules.test.toml:2: unknown key 'tests', did you mean 'test'?",
    GOOD.replace('name = "a story"\n', ""): "rules.test.toml:2: name is missing",
    GOOD.replace("[test.scenario]", "[test.scenrio]"): "unknown key of a test 'scenrio', did you mean 'scenario'?",
    HEAD + WARNED: "rules.test.toml:2: scenario is missing",
    HEAD
    + 'scenario = "numbrs"\n'
    + WARNED: "rules.test.toml:4: there is no scenario 'numbrs', did you mean 'numbers'?",
    HEAD + 'account = "mian"\n' + STORY + WARNED: "rules.test.toml:4: there is no account 'mian', did you mean 'main'?",
    HEAD + 'account = "main:acme"\n' + STORY + WARNED: "rules.test.toml:4: no sub-account of main is watched",
    HEAD + STORY: "rules.test.toml:2: nothing is expected",
    HEAD + STORY.replace("remaining", "remaning") + WARNED: "rules.test.toml:5: unknown field 'numbers.remaning'",
    HEAD + STORY.replace("5x2", "5y2") + WARNED: "rules.test.toml:5: numbers.remaining: character 1",
    HEAD + '[test.scenario]\ninterval = "x"\n' + WARNED: "rules.test.toml:5: 'x' is no duration",
    GOOD.replace("2m", "90s"): "rules.test.toml:6: at 90s lies between two polls, of which there is one every 1 min",
    GOOD.replace("2m", "soon"): "rules.test.toml:6: ",
    GOOD.replace('at = "2m"\n', ""): "rules.test.toml:6: at is missing",
    GOOD.replace('at = "2m"', "at = 2"): "rules.test.toml:6: at must be text in quotes",
    GOOD.replace('"numbers-remaining"\nfired', '"number-remaining"\nfired'): (
        "rules.test.toml:6: 'number-remaining' is no rule, did you mean 'numbers-remaining'?"
    ),
    GOOD.replace('alert = "numbers-remaining"\nfired', "fired"): "rules.test.toml:6: alert is missing",
    GOOD.replace('fired = "warning"\n', ""): "rules.test.toml:6: each expectation says one thing",
    GOOD.replace('fired = "warning"', 'fired = "warnin"'): "'warnin' is no level, did you mean 'warning'?",
    GOOD.replace('fired = "warning"', 'fried = "warning"'): "unknown key 'fried', did you mean 'fired'?",
    GOOD.replace('fired = "warning"', "pending = false"): "rules.test.toml:6: write pending = true, or leave",
    GOOD.replace('fired = "warning"', "nothing = true\ntold = []"): "where nothing happens there is no told",
    GOOD.replace('"recovered"', '"recoverd"'): "rules.test.toml:14: 'recoverd' is no reason, did you mean 'recovered'?",
    GOOD.replace('"recovered"', "true"): "rules.test.toml:14: resolved says why, in quotes: recovered, new period, ",
    GOOD.replace('fired = "warning"', "fired = true"): (
        "rules.test.toml:6: fired says at which level, in quotes: info, warning, critical"
    ),
    GOOD.replace("[[test.expect]]", 'series."numbers.limit" = "4"\n[[test.expect]]', 1): (
        "rules.test.toml:6: numbers.limit is 4 in poll 1, below numbers.remaining, which is 5"
    ),
    GOOD + 'told = "ops"\n': "rules.test.toml:14: told is a list of channels",
    GOOD + 'told = ["opps"]\n': "rules.test.toml:14: 'opps' is no channel, did you mean 'ops'?",
    GOOD.replace("4m", "5000000m"): "rules.test.toml:2: this takes 5,000,001 polls; there may be 1,000,000",
    GOOD.replace("rules.toml", "elsewhere.toml"): "there is no rule file elsewhere.toml",
    GOOD
    + 'subject = "num_1"\n': "rules.test.toml:14: numbers-remaining has one alert for the account; leave subject out",
    HEAD
    + STORY
    + WARNED.replace("test.expect", "expect"): "rules.test.toml:6: an expectation is headed [[test.expect]]",
}


@pytest.mark.usefixtures("rules")
@pytest.mark.parametrize("text", MISTAKES)
def test_a_mistake_is_shown_with_its_place(guard: Run, text: str) -> None:
    done = guard("test", write(text))
    assert done.code == ExitCode.CONFIG
    assert MISTAKES[text] in done.err


def test_an_alert_that_nothing_can_happen_to_is_no_expectation(guard: Run, rules: Path) -> None:
    rule = '[rules.talk]\neach = "agent"\nvalue = "agent.totalSeconds"\nwarning = "> 10h"\n'
    expected = '[[test.expect]]\nalert = "talk"\nnothing = true\n'
    before = rules.read_text()
    rules.write_text(before + rule)
    assert (
        "talk has one alert for each agent; write subject = the id of one" in guard("test", write(GOOD + expected)).err
    )
    assert guard("test", write(GOOD + expected + 'subject = "agt_1"\n')).code == ExitCode.DONE
    rules.write_text(before + rule + "enabled = false\n")
    done = guard("test", write(GOOD + expected))
    assert "the rule 'talk' is disabled (enabled = false), so that nothing ever happens to it" in done.err


def test_a_file_that_is_not_there_or_no_text_is_said(guard: Run) -> None:
    for path, words in (
        ("nowhere.toml", "there is no file nowhere.toml; name files of rule tests, such as rules.test.toml"),
        ("*.test.toml", "no file fits *.test.toml"),
        (".", ". is a directory; name the files in it, as in `guard test ./*.test.toml`"),
        ("rules.toml/x", "rules.toml/x cannot be read: Not a directory"),
    ):
        Path("rules.toml").touch()
        done = guard("test", path)
        assert (done.code, done.out) == (ExitCode.CONFIG, "")
        assert words in done.err
    Path("binary.toml").write_bytes(b"\xff\xfe")
    assert "it is not UTF-8 text" in guard("test", "binary.toml").err


def test_a_rule_file_with_errors_is_shown_as_check_shows_it(guard: Run, rules: Path) -> None:
    rules.write_text(rules.read_text().replace("< 3", "< three"))
    done = guard("test", write(GOOD))
    assert done.code == ExitCode.CONFIG
    assert "rules.toml:15:" in done.err
