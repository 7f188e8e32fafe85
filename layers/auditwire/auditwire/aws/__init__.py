"""What all code that talks to AWS shares: environment variables, clients, errors, conditional puts and retries.

Knows nothing of events, rules or alerts.
"""
