"""``auditwire quarantine``: see what could not be read, and take it up again."""
