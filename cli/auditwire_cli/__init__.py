"""The command line of auditwire: one module per command; typer and rich live here and nowhere else."""
