"""Judging thresholds: matches of a rule, by group and window of time."""
