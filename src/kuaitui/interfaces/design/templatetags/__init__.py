"""Template tags and filters every page may use; they are builtins, nothing needs loading."""
