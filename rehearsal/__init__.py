"""The rehearsal: an embedded AWS on this machine, and the scenarios that run on it.

It knows the deployed system only as a client does: AWS APIs, stack outputs, the cloud assembly.
Start with `rehearsal.process.Rehearsal`; README.md says what is enforced and what is not.
"""
