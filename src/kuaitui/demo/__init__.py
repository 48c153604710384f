"""A seeded marketplace for demonstration, benchmarks and simulation."""
