"""A master account and its sub-accounts: who belongs to it, and whose turn it is in one pass over them all."""

from guard.family.family import AT_ONCE, LIST_EVERY, Family
from guard.family.turns import Pass

__all__ = ["AT_ONCE", "LIST_EVERY", "Family", "Pass"]
