"""Rules of other systems turned into rule documents."""
