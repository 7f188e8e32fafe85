"""``auditwire doctor``: whether a stack is well, and what to do if it is not."""
