"""``auditwire cluster``: who may send, and what senders need."""
