"""Input: pasted text, token ids in any notation, transcript records. Each format is a module of its own."""

from .reading import detect, read
from .records import Item, iter_records
from .values import FORMATS, Detection, Format, Loaded, Problem
from .writing import transcript_record

__all__ = [
    "FORMATS",
    "Detection",
    "Format",
    "Item",
    "Loaded",
    "Problem",
    "detect",
    "iter_records",
    "read",
    "transcript_record",
]
