"""What passes between client and server: messages of both protocols, counted, delayed, cut."""
