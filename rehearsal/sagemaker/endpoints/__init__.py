"""Hosted endpoints: configurations, fleets of real servers, deployments and invocations."""
