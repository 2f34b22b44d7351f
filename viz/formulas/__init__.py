"""Derivative rules as formulas: plain text, LaTeX, MathML, and with their numbers."""
