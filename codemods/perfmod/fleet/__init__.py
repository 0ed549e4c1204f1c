"""perfmod over many repositories. Read run.py first; work.py is what happens to one repository."""
