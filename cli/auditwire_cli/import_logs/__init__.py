"""``auditwire import``: audit logs that are somewhere already, brought into the archive."""
