"""Small templates, one for each kind of edge, and the ways in which each can be closed."""
