"""One-line replacements for the data code of published programs."""
