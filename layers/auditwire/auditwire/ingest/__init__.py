"""Ingest: identify the sender, decode, decide, archive, publish, answer."""
