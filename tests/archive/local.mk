check_PROGRAMS += %D%/check_read %D%/check_run %D%/check_faults %D%/check_gaps
# A program for crash.sh, no test by itself.
noinst_PROGRAMS += %D%/crash_archive
%C%_check_read_SOURCES = %D%/check_read.c
%C%_check_read_LDADD = $(CHECK_LDADD)
%C%_check_run_SOURCES = %D%/check_run.c %D%/run_writer.c %D%/run_writer.h
%C%_check_run_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)
%C%_check_run_LDADD = $(CHECK_LDADD)
%C%_crash_archive_SOURCES = %D%/crash_archive.c %D%/crash.c %D%/crash.h
%C%_crash_archive_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)
%C%_crash_archive_LDADD = $(CHECK_LDADD)
%C%_check_faults_SOURCES = %D%/check_faults.c %D%/run_writer.c %D%/run_writer.h
%C%_check_faults_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)
%C%_check_faults_LDADD = $(CHECK_LDADD)
%C%_check_gaps_SOURCES = %D%/check_gaps.c %D%/run_writer.c %D%/run_writer.h
%C%_check_gaps_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)
%C%_check_gaps_LDADD = $(CHECK_LDADD)
dist_check_SCRIPTS += %D%/run.sh %D%/export.sh %D%/crash.sh %D%/calibrate.sh
dist_noinst_DATA += %D%/read_run.py %D%/bslz4.py %D%/nexus.py %D%/export.py %D%/events.py %D%/crash.py %D%/calibrate.py

EXTRA_PROGRAMS += %D%/bench_archive
%C%_bench_archive_SOURCES = %D%/bench_archive.c %D%/run_writer.c %D%/run_writer.h
%C%_bench_archive_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)
%C%_bench_archive_LDADD = $(CHECK_LDADD)
BENCHES += %D%/bench_archive
CLEANFILES += %D%/bench_archive$(EXEEXT)
