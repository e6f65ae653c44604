"""`$name` and `${…}`: arithmetic on numbers, and nothing else."""
