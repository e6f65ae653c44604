"""Positioned values → Document: which keys, ops, blocks and parameters a spec has; nothing is worked out yet."""
