"""The lessons in which learners find a leak and fix it. The service that leaks is a program of its own."""
