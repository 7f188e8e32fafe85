"""The traffic of the demo, made up and reproducible."""
