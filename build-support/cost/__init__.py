"""What the estate costs: prices, what a question uses, and the bill of a month."""
