"""What is around audit events on the roads of clouds and log shippers: envelopes, wrapped lines, lines in parts, events
that were cut off. Pure: bytes in, pieces out."""
