"""Writes each image's result as a row that Amazon Athena reads."""
