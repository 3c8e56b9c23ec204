"""What servers make of a transcript: finish reasons and their rules, and the readers that consume the tokens."""

from .consumers import consumers
from .finish import Finish, judge_finish
from .reading import Call, Reading

__all__ = ["Call", "Finish", "Reading", "consumers", "judge_finish"]
