"""Data in, a folder under models/ out: how Switchyard's encoder is made. See training/README.md."""
