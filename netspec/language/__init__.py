"""What an author writes: text → positioned values → Document → Graph."""
