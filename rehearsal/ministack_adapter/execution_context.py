"""Whose execution a thread carries out, and in which role."""

import contextvars

role: contextvars.ContextVar[str] = contextvars.ContextVar("rehearsal_state_machine_role")
"""ARN of the state machine's role."""
execution: contextvars.ContextVar[str] = contextvars.ContextVar("rehearsal_execution")
"""ARN of the execution."""
