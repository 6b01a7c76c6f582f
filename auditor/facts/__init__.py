"""What is true of a host, as the audited systems understand it; nothing here knows right from wrong."""
