dist_noinst_SCRIPTS += contrib/demo contrib/check contrib/prepare
