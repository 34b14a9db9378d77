"""Prompts drawn at random, and whether a construction does on them what is specified."""
