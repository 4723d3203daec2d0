"""Slack: the edge that claims and acknowledges, and answers on their way back."""
