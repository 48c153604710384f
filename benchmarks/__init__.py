"""Our figures beside the peers', measured side by side: `make bench`.

Each module offers `run(bench)` and stands in `benchmarks.__main__.MODULES`. Absolute numbers say
much about a machine and little about us, so subjects take turns on one server and the figures that
count are ratios.
"""
