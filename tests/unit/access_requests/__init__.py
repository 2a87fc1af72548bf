"""Parts of access requests without I/O."""
