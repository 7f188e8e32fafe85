"""``auditwire send``: send the events of an audit.log to an endpoint, in the bodies that senders make of them."""
