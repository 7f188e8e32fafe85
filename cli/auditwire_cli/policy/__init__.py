"""``auditwire policy``: check audit policies, try them on requests."""
