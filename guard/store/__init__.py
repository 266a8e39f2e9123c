"""What is remembered: one SQLite database, and the only modules that speak SQL."""

from guard.store.poll import Poll
from guard.store.reader import Reader
from guard.store.renaming import rename
from guard.store.rule_file import RuleFile
from guard.store.store import Store
from guard.store.unit import Unit
from guard.store.view import View

__all__ = ["Poll", "Reader", "RuleFile", "Store", "Unit", "View", "rename"]
