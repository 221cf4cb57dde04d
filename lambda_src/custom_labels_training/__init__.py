"""The training of Custom Labels models: what is checked before it, and judged after it."""
