"""`python -m config check [environment or file …]`: validate, without synthesizing anything."""

import sys

from config import ConfigurationError, environments, load


def main(arguments: list[str]) -> int:
    """Check the environments named, or all; return 0 if every one is right."""
    if not arguments or arguments[0] != "check":
        print("usage: python -m config check [environment or file ...]", file=sys.stderr)
        return 2
    failed = False
    for name in arguments[1:] or environments():
        try:
            settings = load(name)
        except ConfigurationError as error:
            print(error, file=sys.stderr)
            failed = True
        else:
            print(f"{name}: environment {settings.name} is right")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
