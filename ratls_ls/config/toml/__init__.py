"""TOML 1.0, valid or not, to values that know where they stand."""
