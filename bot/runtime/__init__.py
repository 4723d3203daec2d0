"""What every process needs around its work: metrics, memory, pressure, ending."""
