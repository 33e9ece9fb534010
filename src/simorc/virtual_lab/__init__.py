"""What pretends to be equipment: physics, instruments that speak SCPI text, and the servers in front of them."""
