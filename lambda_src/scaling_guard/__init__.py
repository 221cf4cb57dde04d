"""The custom resources that scale an endpoint and get out of the way of its updates."""
