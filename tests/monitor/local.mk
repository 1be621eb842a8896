dist_check_SCRIPTS += %D%/outside.sh
dist_noinst_DATA += %D%/outside.py
