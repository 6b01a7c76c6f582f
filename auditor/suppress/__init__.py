"""What someone chose to live with: comments in the files, the configuration, a baseline, a change that touches it not."""
