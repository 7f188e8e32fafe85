"""The default pack: the bundle of the default documents, which the layer carries compiled.

python -m auditwire.rules.pack DEST      write it; the layer's build does
"""

import sys
from pathlib import Path
from typing import Final

from auditwire.rules.bundle import decode_bundle, encode_bundle
from auditwire.rules.files import default_rules
from auditwire.rules.rule_set import RuleSet

PACK: Final = Path(__file__).parent.parent / "default_bundle.json"


def default_rule_set() -> RuleSet:
    """The rules that hold before the first upload: the layer's pack, else the repository's documents, compiled."""
    if PACK.is_file():
        return decode_bundle(PACK.read_bytes()).rule_set
    return decode_bundle(compile_pack()).rule_set


def compile_pack() -> bytes:
    """The bundle of the default documents. Raises ``RulesError`` where they have errors."""
    from auditwire.rules.load import RulesError, load_sources  # noqa: PLC0415 - brings parser and YAML along

    sources = default_rules()
    loaded = load_sources(sources)
    if loaded.rule_set is None:
        raise RulesError(loaded.diagnostics)
    return encode_bundle(loaded.rule_set, sources)


if __name__ == "__main__":
    Path(sys.argv[1]).write_bytes(compile_pack())
