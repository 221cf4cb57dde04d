"""The function that starts Custom Labels models on a lease, and stops whatever outlives it."""
