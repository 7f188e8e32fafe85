"""The payload library: request bodies as each sender and generation writes them, in ``tests/events``.

Files are named ``<sender>-<version>-<what>.json`` and hold a body byte for byte, so not every one is a JSON document:
lines and concatenated objects are bodies too. All of it is synthetic; addresses are from the documentation ranges.
"""

from pathlib import Path

FOLDER = Path(__file__).parent / "events"


def payload(name: str) -> bytes:
    """The body of that name, without ``.json``."""
    return (FOLDER / f"{name}.json").read_bytes()


def payload_names() -> list[str]:
    """All bodies of the library, by name."""
    return sorted(path.stem for path in FOLDER.glob("*.json"))
