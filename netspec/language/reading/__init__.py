"""Text → positioned values: reads YAML with the place of every value, and finds the files of specs."""
