import errno
import json
import os
import re
from importlib import resources
from pathlib import Path

import pytest
from inline_snapshot import snapshot

from guard.cli import example
from guard.cli.example import example_text
from guard.cli.github import annotation
from guard.config import Problem, Severity
from guard.config.schema import schema
from guard.errors import ExitCode
from tests.cli.conftest import RULES, Done, Run

# --- init ----------------------------------------------------------------------------------------------------------


def test_init_writes_the_example_and_says_what_comes_next(guard: Run) -> None:
    done = guard("init")
    assert (done.code, done.err) == (0, "")
    assert done.out == snapshot("""\
rules.toml is written. Next:
  1. set AGENTPHONE_API_KEY and SLACK_WEBHOOK_URL in the environment
  2. edit rules.toml, and look at it with: guard check rules.toml
  3. guard send-test ops
  4. guard run
""")
    assert Path("rules.toml").read_text() == example_text()
    assert guard("check").code == 0


def test_init_writes_the_schema_beside_the_rule_file(guard: Run) -> None:
    Path("etc").mkdir()
    Path("etc/rules.schema.json").write_text("of an older version")
    assert guard("init", "--rules", "etc/my.toml").code == 0
    assert Path("etc/my.toml").read_text().startswith("#:schema ./rules.schema.json\n")
    assert Path("etc/rules.schema.json").read_text() == guard("schema").out


def test_init_leaves_the_schema_alone_where_it_leaves_the_rule_file_alone(guard: Run, rules: Path) -> None:
    guard("init")
    assert not rules.with_name("rules.schema.json").exists()


def test_init_says_where_it_cannot_write_the_schema(guard: Run) -> None:
    Path("rules.schema.json").mkdir()
    done = guard("init")
    assert done.code == ExitCode.CONFIG
    assert done.err == snapshot("guard: error: rules.schema.json cannot be written: Is a directory\n")


def test_init_names_the_file_where_commands_would_not_find_it(guard: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AGENTPHONE_API_KEY", "key-of-the-tests")
    monkeypatch.setenv("SLACK_WEBHOOK_URL", "https://hooks.slack.invalid/services/T0/B0/x")
    assert guard("init", "--rules", "my rules.toml").out == snapshot("""\
my rules.toml is written. Next:
  1. edit my rules.toml, and look at it with: guard check 'my rules.toml'
  2. guard send-test ops --rules 'my rules.toml'
  3. guard run --rules 'my rules.toml'
""")


def test_init_never_touches_a_file_that_is_there(guard: Run, rules: Path) -> None:
    done = guard("init")
    assert (done.code, done.out) == (ExitCode.CONFIG, "")
    assert done.err == snapshot(
        "guard: error: rules.toml is there already, and is not touched; look at it with `guard check`\n"
    )
    assert rules.read_text() == RULES


def test_init_says_where_it_cannot_write(guard: Run) -> None:
    done = guard("init", "--rules", "no/such/place.toml")
    assert done.code == ExitCode.CONFIG
    assert done.err == snapshot("guard: error: no/such/place.toml cannot be written: No such file or directory\n")


def test_the_packaged_example_comes_first(guard: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / example.NAME).write_text("# as it is packaged\n")
    monkeypatch.setattr(resources, "files", lambda _: tmp_path)
    assert example_text() == "# as it is packaged\n"


# --- check ---------------------------------------------------------------------------------------------------------


def test_a_good_file_is_called_good(guard: Run, rules: Path) -> None:
    done = guard("check")
    assert (done.code, done.out, done.err) == (0, "rules.toml: 1 rule, 1 account, 1 channel: good\n", "")


ALL = 'sub_accounts = "all"\n'
MAIL = """
[channels.{}]
kind = "email"
host = "smtp.example.com"
from = "guard@example.com"
to = ["ana@example.com", "bo@example.com"]
"""


def account_table(name: str, *lines: str) -> str:
    return f'[accounts.{name}]\napi_key = "${{AGENTPHONE_API_KEY}}"\n' + "".join(lines)


@pytest.mark.parametrize(
    ("tables", "said"),
    [
        (
            [account_table("main", ALL)],
            snapshot("rules.toml: 1 rule, 1 account and all its sub-accounts, 1 channel: good\n"),
        ),
        (
            [account_table("main", ALL), account_table("eu", ALL)],
            snapshot("rules.toml: 1 rule, 2 accounts and all their sub-accounts, 1 channel: good\n"),
        ),
        (
            [account_table("main", 'sub_accounts = ["acme"]\n')],
            snapshot("rules.toml: 1 rule, 1 account and 1 sub-account, 1 channel: good\n"),
        ),
        (
            [account_table("main", ALL), account_table("eu")],
            snapshot("rules.toml: 1 rule, 2 accounts and all sub-accounts of main, 1 channel: good\n"),
        ),
        (
            [account_table("main", ALL), account_table("eu", 'sub_accounts = ["acme", "beta"]\n')],
            snapshot("rules.toml: 1 rule, 2 accounts, all sub-accounts of main and 2 of others, 1 channel: good\n"),
        ),
        (
            [account_table("main"), account_table("eu"), MAIL.format("mail")],
            snapshot("rules.toml: 1 rule, 2 accounts, 2 channels (2 mail recipients): good\n"),
        ),
        (
            [account_table("main"), MAIL.format("mail"), MAIL.format("two")],
            snapshot("rules.toml: 1 rule, 1 account, 3 channels (4 mail recipients): good\n"),
        ),
    ],
    ids=["all", "all of two", "a list", "all of one", "all of one and a list", "mail", "mail twice"],
)
def test_sub_accounts_and_people_are_counted(guard: Run, rules: Path, tables: list[str], said: str) -> None:
    named = [*re.findall(r"\[channels\.(\w+)\]", "".join(tables)), "ops"]
    rest = RULES[RULES.index("\n[channels") :].replace('["ops"]', json.dumps(named))
    rules.write_text("".join(tables) + rest)
    assert guard("check").out == said


def test_every_mistake_is_shown_with_its_place(guard: Run, rules: Path) -> None:
    rules.write_text(RULES.replace('"< 3"', '"< three"').replace('kind = "slack"', 'kind = "slak"'))
    done = guard("check", str(rules))
    assert (done.code, done.err) == (ExitCode.CONFIG, "")
    assert done.out == snapshot("""\
rules.toml:7:8: error: unknown kind 'slak', did you mean 'slack'?
  kind = "slak"
         ^~~~~~
rules.toml:15:14: error: unknown field 'three'
  warning = "< three"
               ^~~~~
rules.toml: 2 errors
""")


def test_a_variable_that_is_not_set_is_a_warning(guard: Run, rules: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AGENTPHONE_API_KEY")
    done = guard("check")
    assert (done.code, done.err) == (0, "")
    assert done.out == snapshot("""\
rules.toml:2:11: warning: AGENTPHONE_API_KEY is not set; the rule file is fine without it, but guard run needs it
  api_key = "${AGENTPHONE_API_KEY}"
            ^~~~~~~~~~~~~~~~~~~~~~~
rules.toml: 1 rule, 1 account, 1 channel: good, 1 warning
""")


def test_a_setting_that_does_not_exist_is_a_warning(guard: Run, rules: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GUARD_RULEZ", "x")
    monkeypatch.setenv("GUARD_XYZ", "x")
    done = guard("check")
    assert (done.code, done.err) == (
        0,
        snapshot("""\
guard: warning: GUARD_RULEZ is no setting; did you mean GUARD_RULES?
guard: warning: GUARD_XYZ is no setting
"""),
    )


def test_a_variable_of_the_rule_file_is_no_unknown_setting(
    guard: Run, rules: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GUARD_API_KEY", "key-of-the-tests")
    rules.write_text(RULES.replace("${AGENTPHONE_API_KEY}", "${GUARD_API_KEY}"))
    assert guard("check").err == ""


def test_the_rule_file_is_the_one_that_the_environment_names(
    guard: Run, rules: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rules.rename("elsewhere.toml")
    monkeypatch.setenv("GUARD_RULES", "elsewhere.toml")
    assert guard("check").out.startswith("elsewhere.toml: ")


def test_check_for_machines(guard: Run, rules: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert json.loads(guard("check", "--format", "json").out) == snapshot(
        {
            "path": "rules.toml",
            "good": True,
            "problems": [],
            "missing": [],
            "accounts": ["main"],
            "channels": ["ops"],
            "rules": ["numbers-remaining"],
        }
    )
    rules.write_text(RULES.replace('"< 3"', '"< three"'))
    done = guard("check", "--format", "json")
    assert done.code == ExitCode.CONFIG
    assert json.loads(done.out) == snapshot(
        {
            "path": "rules.toml",
            "good": False,
            "problems": [
                {
                    "path": "rules.toml",
                    "line": 15,
                    "column": 14,
                    "severity": "error",
                    "text": "unknown field 'three'",
                    "source": 'warning = "< three"',
                }
            ],
            "missing": [],
            "accounts": [],
            "channels": [],
            "rules": [],
        }
    )


def test_check_for_github_annotates_lines(guard: Run, rules: Path) -> None:
    rules.write_text(RULES.replace('"< 3"', '"> 80% of"') + 'for = "5s"\nevry = "1m"\n')
    done = guard("check", "--format", "github")
    assert (done.code, done.err) == (ExitCode.CONFIG, "")
    assert done.out == snapshot("""\
::error file=rules.toml,line=15,col=18::unexpected 'of': no word stands behind a number; write > 80%25
::error file=rules.toml,line=19,col=1::unknown key 'evry'
""")


def test_check_for_github_ends_well_with_warnings_alone(guard: Run, rules: Path) -> None:
    rules.write_text(RULES.replace('"< 3"', '"< 1"'))
    done = guard("check", "--format", "github")
    assert (done.code, done.err) == (0, "")
    assert done.out == snapshot(
        "::warning file=rules.toml,line=15,col=11::warning lies beyond critical, so it never comes first\n"
    )


def test_check_for_github_says_nothing_of_a_good_file(guard: Run, rules: Path) -> None:
    assert guard("check", "--format", "github") == Done(0, "", "")


def test_an_annotation_stays_on_its_line() -> None:
    problem = Problem("a\r\nb", 1, 2, Severity.ERROR, "50 %\r\nof: a, b")
    assert annotation(problem) == "::error file=a%0D%0Ab,line=1,col=2::50 %25%0D%0Aof: a, b"


def test_what_the_accounts_say_now_is_about_no_line(guard: Run, rules: Path) -> None:
    done = guard("check", "--live", "--format", "github")
    assert (done.code, done.out) == (ExitCode.USAGE, "")
    assert "annotations are about lines" in done.err


# --- schema --------------------------------------------------------------------------------------------------------


def test_the_schema_is_printed_as_one_document(guard: Run) -> None:
    done = guard("schema")
    assert (done.code, done.err) == (0, "")
    assert json.loads(done.out) == schema()


# --- what cannot be checked ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (
            b"\xff\xfe",
            snapshot("""\
rules.toml:1:1: error: the file is UTF-16; save it as UTF-8
rules.toml: 1 error
"""),
        ),
        (
            b"#" * (1 << 21),
            snapshot("""\
rules.toml:1:1: error: the file has 2,097,152 bytes; a rule file has at most 1,048,576
rules.toml: 1 error
"""),
        ),
    ],
    ids=["not UTF-8", "too long"],
)
def test_what_is_no_text_is_a_mistake_too(guard: Run, rules: Path, content: bytes, said: str) -> None:
    rules.write_bytes(content)
    done = guard("check")
    assert (done.code, done.out) == (ExitCode.CONFIG, said)


def test_the_rule_file_may_be_named_as_for_the_other_commands(guard: Run, rules: Path) -> None:
    rules.rename("elsewhere.toml")
    assert guard("check", "--rules", "elsewhere.toml") == guard("check", "elsewhere.toml")
    assert guard("check", "elsewhere.toml", "--rules", "other.toml") == Done(
        ExitCode.USAGE,
        "",
        snapshot("guard: error: elsewhere.toml and --rules other.toml name two rule files; name one\n"),
    )


def test_tabs_and_other_blanks_leave_the_caret_below_what_is_meant(guard: Run, rules: Path) -> None:
    rules.write_text(RULES.replace('summary = "{numbers.remaining}', 'summary\t= "\xa0{numbers.usedd}'))
    _, line, caret, *_ = guard("check").out.splitlines()
    assert line[caret.index("^") : caret.rindex("~") + 1] == "numbers.usedd"
    assert "\\" not in line


@pytest.mark.parametrize("words", [["check", "rules.toml"], ["check", "--rules", "rules.toml"]], ids=" ".join)
def test_a_file_that_this_user_must_not_read_is_no_mistake_of_the_command_line(
    guard: Run, rules: Path, monkeypatch: pytest.MonkeyPatch, words: list[str]
) -> None:
    def denied(_: Path, *__: object, **___: object) -> None:  # permissions alone would not keep root out
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(os, "access", lambda *_: False)
    monkeypatch.setattr(Path, "open", denied)
    assert guard(*words) == Done(
        ExitCode.CONFIG, "", snapshot("guard: error: rules.toml cannot be read: Permission denied\n")
    )


def test_what_cannot_be_read_is_said(guard: Run, tmp_path: Path) -> None:
    done = guard("check", str(tmp_path))
    assert done.code == ExitCode.CONFIG
    assert done.err == f"guard: error: {tmp_path} cannot be read: Is a directory\n"
