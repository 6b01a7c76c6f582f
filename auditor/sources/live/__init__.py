"""The running system, asked: every question has a time-out and a bounded cost, and nothing that is asked is changed.

Each look gives a Probe and, where it was answered, facts graded observed. Nothing here raises: what fails is a Probe.
"""
