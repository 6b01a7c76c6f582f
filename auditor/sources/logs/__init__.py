"""The logs of a queue's host, read forward from where an earlier look stopped, and classified by one table."""
