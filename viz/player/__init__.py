"""The step player: one HTML page that plays a trace."""
