"""Reports: pure functions from a Verdict to text."""
