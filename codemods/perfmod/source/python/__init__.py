"""What Python code means: names, scopes, classes of values, what becomes of a value."""
