# SPDX-License-Identifier: GPL-2.0-or-later
# The page at /: plain files, embedded into the daemon by a shell script; no bundler, and nothing but sh, awk, od and gzip.
noinst_LIBRARIES += daemon/libweb.a
daemon_libweb_a_SOURCES = %D%/web.h
nodist_daemon_libweb_a_SOURCES = %D%/files.c

web_files = \
	%D%/index.html \
	%D%/address.js \
	%D%/api.js \
	%D%/dom.js \
	%D%/explain.js \
	%D%/format.js \
	%D%/frames.js \
	%D%/grid.js \
	%D%/here.js \
	%D%/icon.svg \
	%D%/layout.js \
	%D%/live.js \
	%D%/main.js \
	%D%/map.js \
	%D%/mappers.js \
	%D%/pages.js \
	%D%/processes.js \
	%D%/space.js \
	%D%/status.js \
	%D%/style.css \
	%D%/treemap.js

web_tables = \
	include/vmad/kinds.def \
	include/vmad/vmflags.def \
	include/vmad/pagestates.def \
	include/vmad/pageflags.def \
	include/vmad/kpageflags.def

%D%/tables.js: $(web_tables) %D%/tables.awk
	$(AM_V_GEN)$(MKDIR_P) $(@D) && cd $(srcdir) && $(AWK) -f %D%/tables.awk $(web_tables) >$(abs_builddir)/$@

%D%/files.c: $(web_files) %D%/tables.js %D%/embed
	$(AM_V_GEN)files=; for file in $(web_files); do files="$$files $(srcdir)/$$file"; done; \
		$(srcdir)/%D%/embed $$files %D%/tables.js >$@.new && mv $@.new $@

EXTRA_DIST += $(web_files) %D%/embed %D%/tables.awk
CLEANFILES += %D%/files.c %D%/tables.js
