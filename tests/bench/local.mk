# SPDX-License-Identifier: GPL-2.0-or-later
# tests/bench: what vmad costs, beside its peers. Never part of make check: a time is not a verdict.
bench_programs = tests/bench/family$(EXEEXT) tests/bench/frames$(EXEEXT) tests/bench/index$(EXEEXT) tests/bench/mappers$(EXEEXT) tests/bench/measure$(EXEEXT) tests/bench/workload$(EXEEXT)
EXTRA_PROGRAMS += tests/bench/family tests/bench/frames tests/bench/index tests/bench/mappers tests/bench/measure tests/bench/workload
tests_bench_family_SOURCES = %D%/family.c
tests_bench_frames_SOURCES = %D%/frames.c
tests_bench_index_SOURCES = %D%/index.c
tests_bench_index_LDADD = daemon/libmodel.a daemon/libsource.a daemon/libopener.a daemon/libmeter.a daemon/libstall.a $(PROC2_LIBS) $(GNUTLS_LIBS)
tests_bench_mappers_SOURCES = %D%/mappers.c
tests_bench_measure_SOURCES = \
	%D%/crowd.c \
	%D%/crowd.h \
	%D%/flood.c \
	%D%/flood.h \
	%D%/http.c \
	%D%/http.h \
	%D%/measure.c
tests_bench_workload_SOURCES = %D%/workload.c
EXTRA_DIST += \
	%D%/bench.py \
	%D%/psutil_json.py
CLEANFILES += $(bench_programs)

# make bench BENCH="list-maps target" runs only these sections; BENCH_ROUNDS=21 by default.
.PHONY: bench bench-programs
bench-programs: daemon/vmad$(EXEEXT) $(bench_programs)
bench: bench-programs
	TOP_SRCDIR='$(abs_top_srcdir)' TOP_BUILDDIR='$(abs_top_builddir)' /usr/bin/python3 $(srcdir)/tests/bench/bench.py $(BENCH)
