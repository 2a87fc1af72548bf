"""Operations: deployment and maintenance. Requests never run this code."""
