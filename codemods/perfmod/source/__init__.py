"""One parsed file, and the verbs that rules use on it."""
