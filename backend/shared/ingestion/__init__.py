"""What services share about ingestion: documents, and the parts in which a long one is stored."""
