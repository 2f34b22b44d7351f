"""Which element goes where: taking, putting, sorting."""
