"""What the scripts of every model share: ending with a reason, and rules on training."""
