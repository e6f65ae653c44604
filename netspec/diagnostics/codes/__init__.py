"""The codes, a module a family; a code is documented where it is defined."""
