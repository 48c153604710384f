"""`python -m kuaitui.interfaces.cli`: the same as `kuaitui`."""

from kuaitui.interfaces.cli.main import main

if __name__ == "__main__":
    main()
