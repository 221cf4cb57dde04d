"""The function that stops notebook instances left running, and keeps their hours."""
