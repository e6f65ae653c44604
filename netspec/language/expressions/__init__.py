"""`$name` and `${…}`: arithmetic expressions."""
