"""Rule files, put together of an account, its channels and some rules."""

from typing import Final

NUMBERS: Final = """
[rules.numbers-remaining]
value = "numbers.remaining"
warning = "< 3"
critical = "< 2"
summary = "{numbers.remaining} of {numbers.limit} phone numbers left"
"""

ONE_SLACK: Final = """
[channels.ops]
kind = "slack"
webhook_url = "${SLACK_WEBHOOK_URL}"

[defaults]
notify = ["ops"]
"""

BOT: Final = """
[channels.ops]
kind = "slack"
token = "${SLACK_BOT_TOKEN}"
channel = "%s"
base_url = "%s"
mention = { critical = "<!here>" }
"""
MAIL: Final = """
[channels.mail]
kind = "email"
host = "localhost"
port = %d
security = "none"
from = "Quota Guard <guard@example.com>"
to = ["ann@example.com", "ben@example.com"]
"""

LOGIN: Final = """
username = "canary-mailbox"
password = "${SMTP_PASSWORD}"
"""


def bot_and_mail(base_url: str, port: int, *, channel: str = "#ops") -> str:
    """A channel by a bot's token, and one that mails two people; both are notified."""
    return f'{BOT % (channel, base_url)}{MAIL % port}[defaults]\nnotify = ["ops", "mail"]\n'


def rule_file(url: str, *rules: str, channels: str = ONE_SLACK, account: str = "") -> str:
    """An account at this address, asked every second; `account` holds more lines for it."""
    return "\n".join((_account(url, account), channels, *(rules or (NUMBERS,))))


def _account(url: str, more: str) -> str:
    return f"""
[accounts.main]
api_key = "${{AGENTPHONE_API_KEY}}"
base_url = "{url}"
every = "1s"
{more}
"""
