"""What runs inside the jail: the shell for a learner's cells, and the processes around it.

The package is put into the jail alone, so it imports the standard library and IPython only, and
NumPy or pandas where they are installed.
"""
