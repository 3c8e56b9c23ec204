"""What servers make of a transcript: finish reasons and their rules, and the readers that consume the tokens.

The readers are run by :func:`inspector.serving.consumers.consumers`.
"""

from .finish import Finish, judge_finish
from .reading import Call, Reading

__all__ = ["Call", "Finish", "Reading", "judge_finish"]
