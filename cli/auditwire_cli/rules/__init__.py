"""``auditwire rules``: check, try, mend and publish rule documents."""
