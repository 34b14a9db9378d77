"""Transformers as data, written with Bai's primitives. Nothing here knows of tasks."""
