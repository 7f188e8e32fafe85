"""Mutation fuzzing of everything that reads what others wrote: ``make fuzz`` runs it, README.md says how."""
