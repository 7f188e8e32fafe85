"""Links into the AWS console."""


def archive_url(bucket: str, region: str) -> str:
    """The start of a console link to an object of the bucket. Append the URL-encoded key."""
    suffix = {"cn": "amazonaws.cn", "us-gov": "amazonaws-us-gov.com", "eusc": "amazonaws-eusc.eu"}
    domain = next((domain for start, domain in suffix.items() if region.startswith(start + "-")), "aws.amazon.com")
    return f"https://{region}.console.{domain}/s3/object/{bucket}?region={region}&prefix="
