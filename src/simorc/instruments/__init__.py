"""What talks to equipment: transports, drivers, the rack that opens a bench, and what keeps it safe."""
