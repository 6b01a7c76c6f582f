"""Readers: text or a server in, facts out. Nothing that is audited is ever executed, imported or sourced."""
