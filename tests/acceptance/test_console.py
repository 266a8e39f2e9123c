"""The console in a real browser: the link of a message leads to the page of its alert."""

import asyncio
import os
import shutil
import subprocess
from pathlib import Path
from typing import Final

import pytest

from guard.message.link import alert_url
from guard.model import AlertKey, Level, State
from guard.settings import Listen
from tests.builders import alert, incident, reading
from tests.console.listening import listening

pytestmark = pytest.mark.acceptance
BROWSER: Final = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome") or ""
QUIET: Final = ("--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-component-update")
SUBJECT: Final = AlertKey("main:acme", "agent-minutes", "agt/1 <b>?#")


def read(url: str, profile: Path) -> str:
    """The document as the browser has it, after it was asked for a password."""
    root = ("--no-sandbox",) if os.getuid() == 0 else ()
    command = [BROWSER, "--headless", *QUIET, *root, f"--user-data-dir={profile}", "--dump-dom", url]
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=60).stdout


@pytest.mark.skipif(not BROWSER, reason="there is no Chromium on this machine")
async def test_a_browser_that_is_given_the_token_shows_the_page_of_an_alert(tmp_path: Path) -> None:
    fires = alert(
        key=SUBJECT,
        state=State.FIRING,
        level=Level.CRITICAL,
        incident=incident(key=SUBJECT),
        reading=reading(summary="9 minutes left"),
    )
    async with listening(Listen(port=0, token="t0ken")) as it:
        await it.parts.store.run(lambda unit: unit.save_alerts([fires]))
        url = alert_url(f"http://ann:t0ken@localhost:{it.port}", SUBJECT)
        document = await asyncio.to_thread(read, url, tmp_path)
    assert "9 minutes left" in document
    assert "<h1>main:acme / agent-minutes / agt/1 &lt;b&gt;?#</h1>" in document
