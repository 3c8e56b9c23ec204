"""Many transcripts: inspected in order, one bad record never stopping the rest, and counted."""

from .histogram import Histogram, Row
from .running import ScanResult, scan
from .tally import Tally

__all__ = ["Histogram", "Row", "ScanResult", "Tally", "scan"]
