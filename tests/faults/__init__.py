"""What may go wrong on any machine, tried as a user: real processes, real signals, full disks, odd environments."""
