# SPDX-License-Identifier: GPL-2.0-or-later
# The appenders, held against jansson.
unit_encode_libs = daemon/libencode.a $(unit_libs) $(JANSSON_LIBS)
unit_programs += \
	tests/unit/encode/buf \
	tests/unit/encode/json \
	tests/unit/encode/prom \
	tests/unit/encode/record

tests_unit_encode_buf_SOURCES = %D%/buf.c
tests_unit_encode_buf_CPPFLAGS = $(unit_cppflags)
tests_unit_encode_buf_LDADD = $(unit_encode_libs)

tests_unit_encode_json_SOURCES = %D%/json.c
tests_unit_encode_json_CPPFLAGS = $(unit_cppflags)
tests_unit_encode_json_LDADD = $(unit_encode_libs)

tests_unit_encode_prom_SOURCES = %D%/prom.c
tests_unit_encode_prom_CPPFLAGS = $(unit_cppflags)
tests_unit_encode_prom_LDADD = $(unit_encode_libs)

tests_unit_encode_record_SOURCES = %D%/record.c
tests_unit_encode_record_CPPFLAGS = $(unit_cppflags)
tests_unit_encode_record_LDADD = $(unit_encode_libs)
