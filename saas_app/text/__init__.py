"""Text from outside: what may be kept, what people can see, and when two texts are the same. Pure, no I/O."""
