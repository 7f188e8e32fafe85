"""Replaying events by two sets of rules: where events come from, workers, reports."""
