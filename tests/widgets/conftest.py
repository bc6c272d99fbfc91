"""`from examples import …` from the tests of the widgets, here and in tests/browser."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
