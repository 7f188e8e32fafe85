"""Questions about rules, answered from events or from the rules alone. Pure: events and rules come in as values."""
