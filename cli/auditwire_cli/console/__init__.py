"""``auditwire console``: the page over an archive, and KubeSphere's query API."""
