"""``auditwire viewer``: who may see what in the console of a stack."""
