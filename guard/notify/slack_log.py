"""The log of slack-sdk, which nobody ever reads: addresses of Slack are secrets."""

import logging
from typing import Final

SILENT: Final = logging.Logger("slack_sdk", level=logging.CRITICAL + 1)  # noqa: LOG001 - see below
"""For slack-sdk, which logs whole addresses at DEBUG: it belongs to no tree, so no configuration can turn it on."""
