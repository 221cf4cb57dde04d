"""Watch whether requests to an endpoint have drifted away from what its model was trained on."""
