"""Document and parameters → Graph: blocks, repeats, includes and shapes, in one walk."""
