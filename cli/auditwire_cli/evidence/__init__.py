"""Commands about evidence: seals, receipts, and what they prove."""
