"""``auditwire dlq``: see which alerts reached no Alertmanager, and send them again."""
