"""``auditwire dlq``: see which alerts no Alertmanager has, and send them again."""
