"""The refund application: state machine, hold, review, approval."""
