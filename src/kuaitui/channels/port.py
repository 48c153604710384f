"""What every channel adapter promises: instructions in, one of a few outcomes out."""
