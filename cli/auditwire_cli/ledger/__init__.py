"""``auditwire ledger``: what every step counted, and where it does not balance."""
