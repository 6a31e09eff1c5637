"""What a request carries: its ids, its deadline, the limit of its body."""
