"""The custom resource that empties a model package group before its stack deletes it."""
