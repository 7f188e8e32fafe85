"""KubeSphere's query API of auditing, answered out of this archive."""
