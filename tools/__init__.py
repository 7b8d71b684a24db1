"""What keeps the project: generators of documents, the golden corpus. Nothing here is needed to use netc."""
