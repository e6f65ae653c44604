"""Reads specs: text → positioned values → Document → Graph."""
