"""What holds when processes and servers are killed."""
