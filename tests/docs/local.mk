dist_check_SCRIPTS += %D%/examples.sh %D%/budget.sh
dist_check_SCRIPTS += %D%/completion.sh %D%/plots.sh
