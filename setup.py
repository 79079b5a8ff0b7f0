"""The file that Beam stages for remote workers; pyproject.toml describes the package."""

from setuptools import setup

setup()
