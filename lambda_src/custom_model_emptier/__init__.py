"""The custom resource that empties a Custom Labels project before its stack deletes it."""
