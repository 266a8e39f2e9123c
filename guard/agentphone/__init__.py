"""The client of AgentPhone's usage API, and the strict reading of what it answers."""

from guard.agentphone.client import UsageClient

__all__ = ["UsageClient"]
