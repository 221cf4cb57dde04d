"""The scenarios: stories told to the deployed system through public AWS APIs.

A scenario is a module of this package with `NAME`, `TITLE`, `ORDER` (a number: lower ones run
first), `REAL` and `STOOD_IN` (sentences for the report) and `run(context) -> Outcome`. A new file
is all that it takes to add one.
"""

from rehearsal.scenarios.registry import Scenario, UnknownScenario, choose, names

__all__ = ["Scenario", "UnknownScenario", "choose", "names"]
