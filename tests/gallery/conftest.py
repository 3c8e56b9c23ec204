"""Makes the code beside these tests importable: pytest imports test files without touching the path."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
