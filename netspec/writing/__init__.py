"""Graph → a spec again."""
