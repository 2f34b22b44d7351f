"""Averages, quantiles and what is computed from them."""
