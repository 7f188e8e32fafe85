"""``auditwire dev``: the whole system on this machine, with what it shows and its sample traffic."""
