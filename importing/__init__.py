"""Bringing in contracts that were kept elsewhere."""
