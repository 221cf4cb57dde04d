"""The embedded SageMaker: its control plane, and jobs that really run, one process each.

`service.py` says how a module joins, `context.py` what it may use, `tables.py` where it keeps its
resources. Kept light: the keeper of each job's process imports this package.
"""
