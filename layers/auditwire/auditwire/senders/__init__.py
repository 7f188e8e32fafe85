"""Who sends audit events. Knows nothing of events, so that everything else may use it."""
