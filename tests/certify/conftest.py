"""The attacks of proofs/floats/limits.py are modules beside it."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "proofs" / "floats"))
