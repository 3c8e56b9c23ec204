"""The modules beside these tests are shared with the longer run in ``benchmarks/``."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
