"""One spec, several backends, every number."""
