# SPDX-License-Identifier: GPL-2.0-or-later
# Floor 3: all that does not need a connection.
unit_http_libs = daemon/libhttp.a daemon/libencode.a daemon/libsource.a daemon/libopener.a $(unit_libs) $(VMAD_LIBS)
unit_programs += tests/unit/http/list

tests_unit_http_list_SOURCES = %D%/list.c
tests_unit_http_list_CPPFLAGS = $(unit_cppflags)
tests_unit_http_list_LDADD = $(unit_http_libs)
