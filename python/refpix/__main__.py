"""``python -m refpix``."""

from refpix.cli import main

if __name__ == "__main__":
    main()
