"""What TypeScript and JavaScript code means: names, imports, conditions, when a place runs."""
