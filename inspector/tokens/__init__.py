"""Tokens: the vocabulary (offline), transcripts, spans, edits and wide text."""

from .markers import (
    CALL,
    CHANNEL,
    CONSTRAIN,
    END,
    ENDOFTEXT,
    FIRST_SPECIAL,
    MARKER_HELP,
    MARKERS,
    MESSAGE,
    RETURN,
    START,
    STARTOFTEXT,
    STOPS,
    VOCABULARY_SIZE,
    is_known,
    is_special,
    special_text,
)
from .scan import Scan
from .spans import Change, Edit, Position, Span, apply_edits, changes_to_edits
from .transcript import Origin, Transcript
from .vocabulary import Vocabulary, VocabularyError, vocabulary, vocabulary_file
from .wide import UNKNOWN, WideText, encode_wide, printable, special_id, wide_special, wide_text
from .wide_lookup import WideLookup

__all__ = [
    "CALL",
    "CHANNEL",
    "CONSTRAIN",
    "END",
    "ENDOFTEXT",
    "FIRST_SPECIAL",
    "MARKERS",
    "MARKER_HELP",
    "MESSAGE",
    "RETURN",
    "START",
    "STARTOFTEXT",
    "STOPS",
    "UNKNOWN",
    "VOCABULARY_SIZE",
    "Change",
    "Edit",
    "Origin",
    "Position",
    "Scan",
    "Span",
    "Transcript",
    "Vocabulary",
    "VocabularyError",
    "WideLookup",
    "WideText",
    "apply_edits",
    "changes_to_edits",
    "encode_wide",
    "is_known",
    "is_special",
    "printable",
    "special_id",
    "special_text",
    "vocabulary",
    "vocabulary_file",
    "wide_special",
    "wide_text",
]
