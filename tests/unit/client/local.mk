# SPDX-License-Identifier: GPL-2.0-or-later
# vmactl's parts; each test links those that it needs out of the client's library.
client_tests = \
	tests/unit/client/address \
	tests/unit/client/columns \
	tests/unit/client/decimal \
	tests/unit/client/device_inode \
	tests/unit/client/escape \
	tests/unit/client/filter \
	tests/unit/client/options \
	tests/unit/client/reader \
	tests/unit/client/size \
	tests/unit/client/target \
	tests/unit/client/token_file
check_PROGRAMS += $(client_tests)
TESTS += $(client_tests)
client_test_cppflags = $(client_cppflags) $(CMOCKA_CFLAGS)
client_test_libs = $(client_libs) $(CMOCKA_LIBS)

tests_unit_client_address_SOURCES = %D%/address.c %D%/test.h
tests_unit_client_address_CPPFLAGS = $(client_test_cppflags)
tests_unit_client_address_LDADD = $(client_test_libs)

tests_unit_client_columns_SOURCES = %D%/columns.c %D%/test.h
tests_unit_client_columns_CPPFLAGS = $(client_test_cppflags)
tests_unit_client_columns_LDADD = $(client_test_libs)

tests_unit_client_decimal_SOURCES = %D%/decimal.c %D%/test.h
tests_unit_client_decimal_CPPFLAGS = $(client_test_cppflags)
tests_unit_client_decimal_LDADD = $(client_test_libs)

tests_unit_client_device_inode_SOURCES = %D%/device_inode.c %D%/test.h
tests_unit_client_device_inode_CPPFLAGS = $(client_test_cppflags)
tests_unit_client_device_inode_LDADD = $(client_test_libs)

tests_unit_client_escape_SOURCES = %D%/escape.c %D%/test.h
tests_unit_client_escape_CPPFLAGS = $(client_test_cppflags)
tests_unit_client_escape_LDADD = $(client_test_libs)

tests_unit_client_filter_SOURCES = %D%/filter.c %D%/test.h
tests_unit_client_filter_CPPFLAGS = $(client_test_cppflags)
tests_unit_client_filter_LDADD = $(client_test_libs)

tests_unit_client_options_SOURCES = %D%/options.c %D%/test.h
tests_unit_client_options_CPPFLAGS = $(client_test_cppflags)
tests_unit_client_options_LDADD = $(client_test_libs)

tests_unit_client_reader_SOURCES = %D%/reader.c %D%/test.h
tests_unit_client_reader_CPPFLAGS = $(client_test_cppflags)
tests_unit_client_reader_LDADD = $(client_test_libs)

tests_unit_client_size_SOURCES = %D%/size.c %D%/test.h
tests_unit_client_size_CPPFLAGS = $(client_test_cppflags)
tests_unit_client_size_LDADD = $(client_test_libs)

tests_unit_client_target_SOURCES = %D%/target.c %D%/test.h
tests_unit_client_target_CPPFLAGS = $(client_test_cppflags)
tests_unit_client_target_LDADD = $(client_test_libs)

tests_unit_client_token_file_SOURCES = %D%/token_file.c %D%/test.h
tests_unit_client_token_file_CPPFLAGS = $(client_test_cppflags)
tests_unit_client_token_file_LDADD = $(client_test_libs)
