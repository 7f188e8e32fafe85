"""What everything that talks to AWS shares: environment variables, clients, errors, conditional puts, repeats.

Knows nothing of events, rules or alerts.
"""
