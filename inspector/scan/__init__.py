"""Many transcripts: inspected in order, one bad record never stopping the rest, and counted."""

from .histogram import Histogram, Row
from .running import Scanning, ScanResult, scan
from .tally import Tally
from .workers import WorkersError

__all__ = ["Histogram", "Row", "ScanResult", "Scanning", "Tally", "WorkersError", "scan"]
