"""Python distributables, import roots, and where a helper module goes."""
