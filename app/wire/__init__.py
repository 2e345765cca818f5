"""What travels: accepted records, envelopes and their compression. Pure, shared by both ends of the queue."""
