"""What a Logto 1.42 answers on the wire, checked against whichever server the environment names."""
