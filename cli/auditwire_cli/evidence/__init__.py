"""Commands about evidence: seals, what they prove, and what somebody has had a hand in."""
