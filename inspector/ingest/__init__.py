"""Input: pasted text, token ids in any notation, transcript records. Each format is a module of its own."""

from .archives import unpacked_at_most
from .carried import Card, Switches, card_of, carrying, switches_of
from .reading import detect, read
from .records import Item, iter_records
from .values import FORMATS, Detection, Format, Loaded, Problem
from .writing import transcript_record

__all__ = [
    "FORMATS",
    "Card",
    "Detection",
    "Format",
    "Item",
    "Loaded",
    "Problem",
    "Switches",
    "card_of",
    "carrying",
    "detect",
    "iter_records",
    "read",
    "switches_of",
    "transcript_record",
    "unpacked_at_most",
]
