"""Texts that people wrote: where they come from, what stands where in them, and what is to be said about it."""
