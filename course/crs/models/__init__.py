"""Small models of how drugs and cells come and go, with published parameters."""
