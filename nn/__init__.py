"""Layers composed of graph operations (coming next)."""
