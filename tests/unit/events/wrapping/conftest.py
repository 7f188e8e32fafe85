"""What is collected here."""

from cloud_samples import SAMPLES

# Without samples there is nothing to try them with.
collect_ignore = [] if SAMPLES else ["test_cloud_samples.py"]
