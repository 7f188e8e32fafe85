"""Archived events as records of OCSF's class API Activity, for a SIEM: the mapping, and the files with them."""
