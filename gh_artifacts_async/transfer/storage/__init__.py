"""From a signed URL to bytes."""
