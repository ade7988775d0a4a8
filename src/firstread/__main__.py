"""`python -m firstread` is the command `firstread`."""

from firstread.cli.main import main

if __name__ == "__main__":
    main()
