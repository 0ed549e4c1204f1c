"""Who calls a Python function, and definitions that stand in other files."""
