"""Mending: bounds settled in one pass, rendered, read again, judged again, delivered atomically."""
