dist_check_SCRIPTS += %D%/examples.sh %D%/budget.sh
