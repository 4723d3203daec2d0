"""What is searched: sources, builds, documents, chunks, and the search itself."""
