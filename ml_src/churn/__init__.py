"""Customer churn: generate, prepare, train, evaluate and serve."""
