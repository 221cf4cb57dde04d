"""What a rehearsal found, as one HTML page for people and one JSON file for programs."""
