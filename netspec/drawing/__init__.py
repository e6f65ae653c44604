"""A picture of a graph: what to show, where to put it, and SVG or an HTML page of it."""
