"""The usage API's answers as JSON → Snapshot: tolerant, so that one odd field never costs the others."""

from guard.payload.cleaning import clean
from guard.payload.picking import Picking
from guard.payload.siblings import Part, joined, part
from guard.payload.usage import snapshot

__all__ = ["Part", "Picking", "clean", "joined", "part", "snapshot"]
