"""The run folder: what a trial holds, how it is written, how it is read back."""
