"""The Language Server Protocol's own types live here and in `server`, and nowhere else."""
