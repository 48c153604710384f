"""Looks shared by portal and console: tokens, components, base templates."""
