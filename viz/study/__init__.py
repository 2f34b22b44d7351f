"""What learners do with a trace: check a gradient of their own, compare two runs, fill in a worksheet."""
