dist_man_MANS +=
dist_man_MANS += man/comptop-replay.1
