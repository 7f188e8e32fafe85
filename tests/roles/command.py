"""`auditwire` with the roles of its local system observed; run as a script by tests that start it as a process."""

import sys
from pathlib import Path


def main() -> None:
    """Do what `auditwire` does."""
    # In place of this folder, whose modules are nobody's top-level modules.
    sys.path[0] = str(Path(__file__).resolve().parents[1])
    from auditwire_cli.main import app
    from roles.observer import attach

    attach()
    app(prog_name="auditwire")


if __name__ == "__main__":
    main()
