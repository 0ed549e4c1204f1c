"""Debug consoles in one file. Facts for gate-dev-tools."""
