"""Slack's own types for TypeScript take the blocks of every kind of message."""

import json
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import pytest

from guard.message import Firing, Message, store_failing, store_recovered, trial
from guard.model import AlertKey
from guard.notify.notifier import Call, Edit, Post, Reply
from guard.notify.slack_payload import request_of
from tests.builders import NOW
from tests.notify.examples import digest, message

PACKAGES: Final = ("@slack/types@3.2.0", "typescript@5.9.3")
INSTALL_S: Final = 120.0
FIRING: Final = Firing(AlertKey("main", "numbers-remaining", "num_1"), "inc_1")
CONSOLE: Final = "https://guard.example.com"
OVER: Final = message(mark="resolved", ended=True, description="It was *so* & <so>.")
MESSAGES: Final[Mapping[str, Message]] = {
    "fired": message(firing=FIRING, description="Release some.", link=f"{CONSOLE}/alerts/main/numbers-remaining/num_1"),
    "acknowledged": message(firing=replace(FIRING, is_acked=True)),
    "bare": message(facts=(), runbook=""),
    "resolved": OVER,
    "digest": digest(20, more=5),
    "trial": trial("ops", now=NOW, console_url=CONSOLE),
    "store_failing": store_failing("disk full", now=NOW),
    "store_recovered": store_recovered(now=NOW + timedelta(hours=1)),
}


@pytest.fixture(scope="module")
def types(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with the types and their compiler; skips where there is no Node, or no registry in reach."""
    npm = shutil.which("npm")
    if shutil.which("node") is None or npm is None:
        pytest.skip("node and npm are not installed here")
    path = tmp_path_factory.mktemp("types")
    (path / "package.json").write_text("{}")
    argv = [npm, "install", "--no-audit", "--no-fund", "--ignore-scripts", "--fetch-retries=1", *PACKAGES]
    try:
        done = subprocess.run(argv, cwd=path, capture_output=True, text=True, timeout=INSTALL_S, check=False)
    except subprocess.TimeoutExpired:
        pytest.skip(f"npm could not install {PACKAGES} within {INSTALL_S:g} s")
    if done.returncode != 0:
        pytest.skip(f"npm could not install {PACKAGES}: {done.stderr}")
    return path


def compiled(types: Path, constants: Mapping[str, object]) -> subprocess.CompletedProcess[str]:
    """What the compiler says of these lists of blocks, by name."""
    lines = ["import type { KnownBlock } from '@slack/types';"]
    lines += [f"export const {name}: KnownBlock[] = {json.dumps(value)};" for name, value in constants.items()]
    (types / "messages.ts").write_text("\n".join(lines), encoding="utf-8")
    return subprocess.run(
        [types / "node_modules" / ".bin" / "tsc", "--noEmit", "--strict", "--skipLibCheck", "messages.ts"],
        cwd=types,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def shown(each: Message, *, call: type[Call] = Post) -> Any:
    """The blocks of one message, with buttons where it has some."""
    calls: dict[type[Call], Call] = {
        Post: Post(each),
        Edit: Edit(each, "C0OPS:1.1"),
        Reply: Reply(each, "C0OPS:1.1", is_loud=True),
    }
    return request_of(calls[call], key="k1", mentions={}, channel="C0OPS", has_buttons=True).full["blocks"]


def test_slack_s_types_take_every_kind_of_message(types: Path) -> None:
    kinds: tuple[type[Call], ...] = (Post, Edit, Reply)
    made = {f"{name}_{kind.__name__}": shown(each, call=kind) for name, each in MESSAGES.items() for kind in kinds}
    assert "guard.silence.24h" in json.dumps(made["fired_Edit"])
    assert "guard.open" in json.dumps(made["fired_Post"])
    done = compiled(types, made)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(
    ("old", "new"),
    [('"plain_text"', '"plain"'), ('"actions"', '"action"'), ('"elements"', '"element"'), ('"verbatim"', '"verbatum"')],
)
def test_slack_s_types_refuse_what_is_no_block(types: Path, old: str, new: str) -> None:
    wrong = json.dumps(shown(MESSAGES["fired"])).replace(old, new)
    done = compiled(types, {"wrong": json.loads(wrong)})
    assert done.returncode != 0
    assert "messages.ts(2," in done.stdout
