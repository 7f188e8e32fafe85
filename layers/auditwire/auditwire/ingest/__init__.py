"""What came in goes down the whole road: identify, decode, decide, archive, publish, answer."""
