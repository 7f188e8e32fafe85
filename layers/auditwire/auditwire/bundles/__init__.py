"""Rules in S3: documents are compiled into bundles, and functions only load bundles."""
