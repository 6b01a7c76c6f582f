"""Bad hosts, what goes wrong when each is run, and the same hosts put right by hand."""
