"""The rules of the example rule file, each on the story of the sandbox that it is there for."""

from dataclasses import replace
from pathlib import Path
from typing import Final

import pytest

from guard.config import Config, load
from guard.model import EventKind
from guard.sandbox.server import Sandbox
from tests.stand_ins.clock import HandClock
from tests.stand_ins.slack import SlackStandIn
from tests.wiring import API_KEY, events, opened

EXAMPLE: Final = Path(__file__).parents[1] / "rules.example.toml"
LOUD: Final = (EventKind.FIRED, EventKind.ESCALATED, EventKind.RESOLVED)


def example(*, api: str, slack: str) -> Config:
    """The example as it stands, but for where its account is."""
    secrets = {"AGENTPHONE_API_KEY": API_KEY, "SLACK_WEBHOOK_URL": slack}
    loaded = load(EXAMPLE.read_text(encoding="utf-8"), path="rules.example.toml", secret=secrets.get)
    assert loaded.config is not None
    return replace(loaded.config, accounts=tuple(replace(account, base_url=api) for account in loaded.config.accounts))


@pytest.mark.parametrize(
    ("rule", "story", "summary"),
    [
        ("numbers-remaining", "numbers", "1 of 12 phone numbers left"),
        ("messages-over-budget", "messages", "messages in 24 hours, of a budget of 1,000"),
        ("webhook-failures", "webhooks", "webhooks failed"),
    ],
)
async def test_each_rule_fires_escalates_and_is_resolved_by_its_story(
    tmp_path: Path, rule: str, story: str, summary: str
) -> None:
    clock = HandClock()
    async with SlackStandIn() as slack, Sandbox(scenario=story, key=API_KEY, now=clock.now) as sandbox:
        setting = example(api=sandbox.base_url, slack=slack.url)
        async with opened(setting, tmp_path, clock=clock) as parts:
            (family,) = parts.families
            for _ in range(int(sandbox.scenario.length.total_seconds() // 60) + 1):
                await family.master.run(ask=True, jitter=1)
                while await parts.outbox.attempt("ops"):
                    pass
                clock.move(minutes=1)
            happened = await events(parts.store)
        assert [event.kind for event in happened if event.key.rule == rule and event.kind in LOUD] == list(LOUD)
        texts = [post["text"] for post in slack.shown if rule in post["text"]]
        assert [text.partition("]")[0] for text in texts] == ["[warning", "[escalated critical", "[resolved"]
        assert summary in texts[1]
        assert {event.key.rule for event in happened if event.kind is EventKind.FIRED} == {rule}
