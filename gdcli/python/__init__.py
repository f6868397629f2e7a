"""The floor above all: the functions of ``import gdcli``, with the words and the types of a Python program."""
