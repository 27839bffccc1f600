"""The datasets, one short file each: schema and composition."""
