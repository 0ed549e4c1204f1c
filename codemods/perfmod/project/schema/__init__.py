"""Tables and columns, from every schema source."""
