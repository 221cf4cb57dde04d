"""From pictures of shelves to what to order: counts, their event, sales, rules, orders."""
