"""Two hundred edits of the rule file of a service under load, half of them broken, written in every way there is.

And a service that is killed while an edit takes effect.
"""

import signal
import threading
from collections.abc import Callable
from itertools import cycle
from pathlib import Path
from typing import Final

from tests.acceptance.agentphone import AgentPhone
from tests.acceptance.home import Home, Running
from tests.acceptance.rule_file import ONE_SLACK, rule_file
from tests.acceptance.slack import Slack

EDITS: Final = 200
STANDS: Final = 20  # each so many edits one stands long enough to be judged
LEFT: Final = 9
LATEST_S: Final = 3.0  # between two polls of an account that is asked each second, on a busy machine
MORE: Final = "".join(
    f'\n[accounts.more-{number}]\napi_key = "${{AGENTPHONE_API_KEY}}"\nbase_url = "%s"\nevery = "1s"\n'
    for number in range(4)
)


def good(url: str, number: int, *, below: int | None = None) -> str:
    """A rule file that differs from the one before, and under which nothing fires."""
    bound = 1 + number % (LEFT - 1) if below is None else below
    rule = f'[rules.left]\nvalue = "numbers.remaining"\nwarning = "< {bound}"\n'
    return rule_file(url, rule, channels=MORE.replace("%s", url) + ONE_SLACK) + f"# edit {number}\n"


def bad(text: str, number: int) -> bytes:
    """The same, broken in one of many ways."""
    raw = text.encode()
    ways: tuple[Callable[[], bytes], ...] = (
        lambda: b"",
        lambda: raw[: len(raw) // 2],
        lambda: raw.replace(b"numbers.remaining", b"numbers.remaning"),
        lambda: b"\xff\xfe" + raw,
        lambda: raw.replace(b"[accounts.main]", b"[acounts.main]"),
        lambda: raw.replace(b"${AGENTPHONE_API_KEY}", b"${NOT_SET}"),
        lambda: raw + b"[rules.left]\n",
        lambda: b"# nothing at all\n",
    )
    return ways[number % len(ways)]()


def renamed(file: Path, raw: bytes) -> None:
    new = file.with_name("rules.toml.new")
    new.write_bytes(raw)
    new.rename(file)


def in_place(file: Path, raw: bytes) -> None:
    with file.open("r+b") as stream:
        stream.truncate(0)
        stream.write(raw)


def in_halves(file: Path, raw: bytes) -> None:
    with file.open("wb") as stream:
        stream.write(raw[: len(raw) // 2])
        stream.flush()
        stream.write(raw[len(raw) // 2 :])


def deleted_before(file: Path, raw: bytes) -> None:
    file.unlink()
    file.write_bytes(raw)


def behind_links(file: Path, raw: bytes) -> None:
    """As a ConfigMap is mounted: the file is a link to a link, which is swapped."""
    home = file.parent
    version = home / f"..v{len(list(home.glob('..v*')))}"
    version.mkdir()
    (version / "rules.toml").write_bytes(raw)
    swap, link = home / "..swap", home / "..link"
    swap.symlink_to(version.name)
    swap.rename(home / "..data")
    link.symlink_to("..data/rules.toml")
    link.rename(file)


WRITES: Final = (renamed, in_place, in_halves, deleted_before, behind_links)


def edit(home: Home, url: str, number: int, write: Callable[[Path, bytes], None]) -> None:
    text = good(url, number)
    write(home.rules, text.encode() if number % 2 else bad(text, number // 2))


def test_whatever_is_written_no_cycle_is_missed_and_the_last_good_file_is_in_force(
    home: Home, api: AgentPhone, slack: Slack
) -> None:
    home.write(good(api.url, 1))
    api.say(LEFT)
    with home.run() as service:
        api.until_answered(5)
        writes = cycle(WRITES)
        for number in range(EDITS):
            edit(home, api.url, number, next(writes))
            stands = number % (STANDS - 1) == 0
            service.process.send_signal(signal.SIGHUP)
            api.until_asked(15 if stands else 1)  # five accounts, each once a second
        renamed(home.rules, good(api.url, 0, below=LEFT + 1).encode())
        ends(service, slack)
        assert service.end() == 0
        assert "Traceback" not in service.log.text
        assert "rules.invalid" in service.log.text
    asked = [each.at_s for each in api.requests]
    assert max(after - before for before, after in zip(asked, asked[5:], strict=False)) < LATEST_S
    changes = home.read("history", "--rules", "--limit", "1")["versions"][0]["changes"]
    assert any(line.endswith(f"-> < {LEFT + 1}") for line in changes)


def ends(service: Running, slack: Slack) -> None:
    """The last edit has its effect on every account, and nothing else was ever told but that a file was bad."""
    service.log.until(f"-> < {LEFT + 1}")
    fired = "main / left: ", *(f"more-{number} / left: " for number in range(4))
    assert slack.until(lambda: all(any(name in post.whole for post in slack.shown) for name in fired))
    others = [post.text for post in slack.shown if "guard.config_invalid" not in post.text and "left" not in post.whole]
    assert others == []
    marks = [post.mark for post in slack.shown if "guard.config_invalid" in post.text]
    assert marks == ["warning", "resolved"] * 3 + ["flapping"]


# --- killed meanwhile ----------------------------------------------------------------------------------------------

KILLS: Final = 12


def under(url: str, number: int) -> str:
    """A rule file whose one rule gets another name with each edit, and takes its alerts along."""
    before = f'renamed_from = "left-{number - 1}"\n' if number else ""
    rule = f'[rules.left-{number}]\nvalue = "numbers.remaining"\nwarning = "< {number + LEFT + 1}"\n{before}'
    return rule_file(url, rule)


def test_a_service_that_is_killed_while_an_edit_takes_effect_has_done_it_whole_or_not_at_all(
    home: Home, api: AgentPhone, slack: Slack
) -> None:
    home.write(under(api.url, 0))
    api.say(LEFT)
    with home.run() as service:
        slack.until_shown("warning")
        api.until_given(2)
        assert service.end() == 0
    for number in range(1, KILLS + 1):
        with home.run() as service:
            service.log.until("service.started")
            api.until_given(1)
            home.write(under(api.url, number))
            service.process.send_signal(signal.SIGHUP)
            threading.Event().wait(0.9 + 0.15 * (number - 1))  # it takes effect a second or two from now
            assert service.end(signal.SIGKILL) == -signal.SIGKILL
    with home.run() as service:
        service.log.until("service.started")
        api.until_given(2)
        api.say(LEFT + KILLS + 2)
        slack.until_shown("warning", "resolved")
        assert service.end() == 0
    assert slack.marks == ["warning", "resolved"]
    versions = home.read("history", "--rules", "--limit", "100")["versions"]
    renames = [line for each in versions for line in each["changes"] if " renamed to " in line]
    assert renames == [f"rule left-{number - 1} renamed to left-{number}" for number in range(KILLS, 0, -1)]
