"""``auditwire policy``: check audit policies, and try them on requests."""
