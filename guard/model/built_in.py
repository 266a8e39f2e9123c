"""The names that stand where else a rule's does: the built-in rules, and the report."""

from typing import Final

NO_DATA: Final = "guard.no_data"
"""The built-in rule that fires when an account gives no good answer, or a rule cannot be evaluated."""

CHANNEL_FAILING: Final = "guard.channel_failing"
"""The built-in rule that fires while a channel refuses for good, or is far behind; its subject is the channel."""

CONFIG_INVALID: Final = "guard.config_invalid"
"""The built-in rule that fires while the rule file is another one than that in force, and cannot be used."""

STORE_FAILING: Final = "guard.store_failing"
"""The built-in rule for a database that takes no writes, so that no alert of it can be stored either."""

REPORT: Final = "guard.report"
"""What stands in the place of a rule where `[report]` is told: no rule fires there, it is only time."""
