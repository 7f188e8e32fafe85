"""``auditwire quarantine``: see what could not be read, and retry it."""
