"""Positioned values → Document: reads keys, ops, blocks and parameters of a spec, without evaluating expressions."""
