"""What the page asks for: rows, counts, single events, evidence, explanations and exports, as JSON."""
