dist_man_MANS += man/comptop.1 man/comptop-sim.1 man/comptop-replay.1 man/comptop.conf.5 man/comptop-streams.7
dist_man_MANS += man/comptop-archive.1 man/comptop-run.5
