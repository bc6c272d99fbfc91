"""``python -m cnnlib COMMAND``: what one does with the course outside its notebooks.

doctor              what is right and wrong with this machine, and the line that mends each fault
stamp [--check]     write the repository's address and tag into badges and set-up cells
fetch [NAMES]       bring data sets here, or with --to FOLDER onto a stick; without a name, list them
notebooks [NAMES]   execute and normalise notebooks; with --check, only say which are not normal
"""

import importlib
import os
import sys

if sys.version_info < (3, 11):  # noqa: UP036 - a checkout can be asked by an older Python, which cannot read the rest
    sys.exit("FAULT  Python  {}.{}.{}; 3.11 or newer is needed\n               -> install a newer Python "
             "(python.org)".format(*sys.version_info))

# `python -m` looks for modules where one stands first: a stray random.py there must not break the doctor who finds it.
if sys.path[0] == os.getcwd() != os.path.dirname(os.path.dirname(os.path.abspath(__file__))):
    del sys.path[0]

COMMANDS = ("doctor", "fetch", "stamp", "notebooks")


def main(arguments: list[str]) -> int:
    if not arguments or arguments[0] not in COMMANDS:
        print(__doc__)
        return 0 if arguments in ([], ["--help"], ["-h"]) else 2
    command, *rest = arguments
    return importlib.import_module(f"cnnlib.recipes.{command}").main(rest)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
