"""The record of a run: taking it, keeping it within a budget, writing and reading it."""
