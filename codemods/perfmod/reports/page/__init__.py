"""What the html report is made of. The modules make its contents; what is no Python runs in a browser."""
