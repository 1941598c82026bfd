"""Whether this machine can measure: its cores, clock, timers, servers, drivers, noise floor."""
