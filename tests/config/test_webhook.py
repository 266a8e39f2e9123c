"""Webhooks and Apprise: their secrets are read and shown nowhere."""

import pytest

from guard.config import AppriseConfig, Loaded, WebhookConfig, secrets_of
from tests.config.files import ACCOUNT, APPRISE, ENVIRON, HOOK, RULE, read

CANARY = "cAnArY-7f3a9c"
TWO = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"


def loaded(channel: str, **variables: str) -> Loaded:
    name = "hook" if "webhook" in channel else "any"
    return read(f'{ACCOUNT}{channel}{RULE}notify = ["{name}"]\n', {**ENVIRON, **variables})


def everything(found: Loaded) -> str:
    return repr(found) + "".join(f"{problem.render()}{problem.as_dict()}" for problem in found.problems)


def hook(text: str = HOOK, **variables: str) -> WebhookConfig:
    found = loaded(text, **variables)
    assert found.config is not None
    channel = found.config.channels["hook"]
    assert isinstance(channel, WebhookConfig)
    return channel


def test_a_webhook_is_read() -> None:
    channel = hook()
    assert channel.url.value == "https://example.com/guard"
    assert channel.secret.value == ENVIRON["WEBHOOK_SECRET"]
    assert "example.com" not in repr(channel)


@pytest.mark.parametrize("url", ["https://example.com/x?y=z", "http://127.0.0.1:8080/x", "http://localhost/"])
def test_its_address_may_stand_in_the_file(url: str) -> None:
    assert hook(HOOK.replace("https://example.com/guard", url)).url.value == url


def test_its_address_may_be_a_secret() -> None:
    text = HOOK.replace("https://example.com/guard", "${WEBHOOK_URL}")
    channel = hook(text, WEBHOOK_URL=f"https://example.com/{CANARY}")
    assert [each.variable for each in secrets_of(channel)] == ["WEBHOOK_URL", "WEBHOOK_SECRET"]
    assert CANARY not in everything(loaded(text, WEBHOOK_URL=f"https://example.com/{CANARY}"))
    assert CANARY not in everything(loaded(text, WEBHOOK_URL=f"http://example.com/{CANARY}"))


def test_an_address_that_stands_in_the_file_is_masked_all_the_same() -> None:
    found = loaded(HOOK.replace("https://example.com/guard", f"http://example.com/{CANARY}"))
    assert [each.line for each in found.problems] == [7]
    assert CANARY not in everything(found)


def test_a_secret_may_be_two_while_one_replaces_the_other() -> None:
    assert hook(WEBHOOK_SECRET=TWO).secret.value == TWO


def test_variables_that_are_not_set_are_named() -> None:
    found = loaded(HOOK.replace("https://example.com/guard", "${WEBHOOK_URL}"), WEBHOOK_SECRET="")
    assert found.config is not None
    assert sorted(found.missing) == ["WEBHOOK_SECRET", "WEBHOOK_URL"]


@pytest.mark.parametrize("secret", [CANARY, f"whsec_{CANARY}!", f"{TWO}  {CANARY}", f"{TWO} {CANARY}", "ümlaut"])
def test_a_secret_that_is_none_is_not_repeated(secret: str) -> None:
    found = loaded(HOOK, WEBHOOK_SECRET=secret)
    assert len(found.problems) == 1
    assert found.config is None
    assert secret not in everything(found)
    assert CANARY not in everything(found)


def test_another_secret_or_address_makes_another_channel() -> None:
    prints = {
        hook().fingerprint,
        hook(WEBHOOK_SECRET=TWO).fingerprint,
        hook(HOOK.replace("example.com", "example.org")).fingerprint,
    }
    assert len(prints) == 3


def test_an_apprise_channel_is_read_and_its_address_not_shown() -> None:
    found = loaded(APPRISE, APPRISE_URL=f"tgram://{CANARY}/1")
    assert found.config is not None
    channel = found.config.channels["any"]
    assert isinstance(channel, AppriseConfig)
    assert channel.url.value == f"tgram://{CANARY}/1"
    assert CANARY not in everything(found)


def test_an_address_of_apprise_that_is_none_is_not_repeated() -> None:
    found = loaded(APPRISE, APPRISE_URL=CANARY)
    assert len(found.problems) == 1
    assert CANARY not in everything(found)


def test_an_apprise_channel_without_its_variable_is_read() -> None:
    found = loaded(APPRISE, APPRISE_URL="")
    assert found.config is not None
    assert found.missing == ("APPRISE_URL",)
