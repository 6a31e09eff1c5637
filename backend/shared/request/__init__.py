"""What every request has: ids, a deadline, and a limit on the size of its body."""
