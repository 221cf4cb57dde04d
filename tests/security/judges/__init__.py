"""The judges: each looks at synthesized templates and lists what is wrong with them.

One module is one judge. All run offline, on plain template dictionaries.
"""
