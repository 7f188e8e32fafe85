"""``auditwire send``: the events of an audit.log, in the bodies that senders make of them, to an endpoint."""
