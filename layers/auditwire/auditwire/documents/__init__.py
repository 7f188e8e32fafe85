"""Texts that people write: where they come from, the position of everything in them, and the findings about them."""
