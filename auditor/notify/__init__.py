"""What is told to people: messages, and the ways by which they are sent. Nothing here depends on a queue."""
