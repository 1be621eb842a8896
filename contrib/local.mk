dist_noinst_SCRIPTS += contrib/bias-table contrib/demo contrib/check contrib/prepare contrib/live-rate contrib/live-camera
dist_noinst_DATA += contrib/comptop.conf.example contrib/comptop.service
dist_noinst_DATA += contrib/plot/log.gp
dist_noinst_SCRIPTS += contrib/plot/log.py contrib/screen-figures
