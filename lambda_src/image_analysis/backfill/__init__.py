"""Puts what lies in a bucket already into the image function's second queue, and counts it."""
