"""The TypeScript and JavaScript of a checkout: modules, packages, when code runs, consoles."""
