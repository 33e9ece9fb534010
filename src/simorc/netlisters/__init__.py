"""From schematic to netlist: the netlisters, and how a netlist is known to be stale."""
