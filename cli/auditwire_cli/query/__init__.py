"""Looking for events in the archive."""
