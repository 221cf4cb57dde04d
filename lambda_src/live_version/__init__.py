"""The custom resource behind the SSM parameter that says which model version is live."""
