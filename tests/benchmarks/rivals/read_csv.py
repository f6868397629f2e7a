"""Rival: nothing but `pandas.read_csv`, with its defaults."""

import sys

import pandas

pandas.read_csv(sys.argv[1])
