"""What a shell's completion asks, and its scripts."""
