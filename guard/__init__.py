"""Watches the usage of AgentPhone accounts and tells people, once and in time, before something runs out."""

__version__ = "0.1.0"
