"""Our books against what the channels say."""
