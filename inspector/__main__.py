"""``python -m inspector`` is the command ``harmonylens``."""

import os
import sys


def main() -> int:
    """Run the command; Ctrl-C is no traceback while the first of it is being loaded either."""
    try:
        from .cli import main as run

        return run()
    except KeyboardInterrupt:
        return 130


try:
    here = os.getcwd()
except FileNotFoundError:  # it was deleted
    here = ""
if sys.path[:1] == [here] != [os.path.dirname(os.path.dirname(__file__))]:
    # Python puts the current folder in front of everything (-P is against that). A file there that is called click.py
    # is not what we mean. Where this package itself lies there, the folder is ours.
    del sys.path[0]

if __name__ == "__main__":
    sys.exit(main())
