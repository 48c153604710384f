"""Deposit accounts, lots, pay-in and deductions."""
