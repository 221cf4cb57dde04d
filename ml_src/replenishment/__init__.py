"""How much of each product a store will sell until the next delivery, and what to order."""
