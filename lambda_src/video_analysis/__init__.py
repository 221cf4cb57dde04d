"""Stored videos: jobs of Amazon Rekognition, their results, a decision by time."""
