"""What people thought of answers: votes, labels, kept replies, and what nights made of them."""
