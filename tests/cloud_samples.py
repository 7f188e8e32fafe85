"""Samples of what clouds and shippers deliver, each with its events, where there are any.

They lie in the folder that ``AUDITWIRE_CLOUDS`` names or beside the checkout, and are not part of the repository. No
fact is tested with them alone.
"""

import os
from pathlib import Path

_BESIDE = Path(__file__).parents[2] / "shared" / "data" / "clouds"
_FOLDER = Path(os.environ.get("AUDITWIRE_CLOUDS") or _BESIDE)

SAMPLES = sorted(path for path in _FOLDER.rglob("*.json*") if ".expected" not in path.name)
"""What arrives; ``NAME.expected.json`` beside each says what is in it."""
