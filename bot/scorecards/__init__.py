"""Measuring: evaluations run against a real store."""
