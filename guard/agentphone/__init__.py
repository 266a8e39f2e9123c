"""The client of AgentPhone's API, and the strict reading of what it answers."""

from guard.agentphone.client import UsageClient
from guard.agentphone.listing import Listing

__all__ = ["Listing", "UsageClient"]
