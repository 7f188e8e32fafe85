"""Where a cluster's audit events come from: clouds and log shippers, and how each is told to send."""
