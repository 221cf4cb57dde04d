"""The command line: `python -m rehearsal demo|up|down|status`."""

from __future__ import annotations

import argparse
import os
import signal
import sys
from pathlib import Path

from rich.console import Console

from rehearsal.errors import RehearsalError
from rehearsal.scenarios import UnknownScenario, names

INTERRUPTED = 130


def main(arguments: list[str] | None = None) -> int:
    """Run a command and return its exit status."""
    chosen = _parser().parse_args(arguments)
    _forget_credentials()
    # Stop everything on SIGTERM as on Ctrl-C; a shell lets background jobs ignore the latter.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)
    console, errors = Console(highlight=False), Console(stderr=True, highlight=False)
    try:
        return _run(chosen, console)
    except (RehearsalError, UnknownScenario) as error:
        errors.print(f"error: {error}", markup=False, soft_wrap=True, style="red")
        return 1
    except KeyboardInterrupt:
        errors.print("stopped; nothing is left running", markup=False)
        return INTERRUPTED


def _run(chosen: argparse.Namespace, console: Console) -> int:
    # Imported late, so that --help answers at once.
    from rehearsal import demo, standing

    if chosen.command == "demo":
        passed = demo.demo(console, chosen.scenario, chosen.port, chosen.output.resolve())
        return 0 if passed else 1
    if chosen.command == "up":
        standing.up(console, chosen.port)
        return 0
    if chosen.command == "down":
        return standing.down(console)
    return standing.status(console)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m rehearsal",
        description="Sagelens on an embedded AWS on this machine: no account, no network.",
    )
    commands = parser.add_subparsers(dest="command", required=True)
    demo = commands.add_parser("demo", help="deploy, run the scenarios, write a report, stop")
    demo.add_argument("--scenario", help=f"only this one of: {', '.join(names())}")
    demo.add_argument("--port", type=int, default=0, help="of the embedded AWS; any by default")
    demo.add_argument(
        "--output",
        type=Path,
        default=Path(__file__).resolve().parent.parent / "build" / "demo",
        help="folder for the report and the logs (build/demo)",
    )
    up = commands.add_parser("up", help="deploy and leave it running")
    up.add_argument("--port", type=int, default=0, help="of the embedded AWS; any by default")
    commands.add_parser("down", help="stop what `up` started")
    commands.add_parser("status", help="say what is running")
    return parser


def _forget_credentials() -> None:
    """Take every AWS setting of the user's out of this process and all that it starts."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        del os.environ[name]


if __name__ == "__main__":
    sys.exit(main())
