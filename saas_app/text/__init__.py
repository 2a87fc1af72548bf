"""Text from outside: what may be stored, what people can see, and when two texts are equal. Pure, no I/O."""
