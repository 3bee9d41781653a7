# SPDX-License-Identifier: GPL-2.0-or-later
# Floor 3: all that does not need a connection.
unit_http_libs = daemon/libhttp.a daemon/libencode.a daemon/libsource.a daemon/libopener.a $(unit_libs) $(VMAD_LIBS)
unit_programs += \
	tests/unit/http/accepted \
	tests/unit/http/authority \
	tests/unit/http/flight \
	tests/unit/http/gzip \
	tests/unit/http/list \
	tests/unit/http/params \
	tests/unit/http/peer \
	tests/unit/http/problem \
	tests/unit/http/quota \
	tests/unit/http/room \
	tests/unit/http/route \
	tests/unit/http/token \
	tests/unit/http/turns \
	tests/unit/http/uri \
	tests/unit/http/walks

tests_unit_http_flight_SOURCES = %D%/flight.c
tests_unit_http_flight_CPPFLAGS = $(unit_cppflags)
tests_unit_http_flight_LDADD = $(unit_http_libs)

tests_unit_http_gzip_SOURCES = %D%/gzip.c
tests_unit_http_gzip_CPPFLAGS = $(unit_cppflags)
tests_unit_http_gzip_LDADD = $(unit_http_libs)

tests_unit_http_list_SOURCES = %D%/list.c
tests_unit_http_list_CPPFLAGS = $(unit_cppflags)
tests_unit_http_list_LDADD = $(unit_http_libs)

tests_unit_http_params_SOURCES = %D%/params.c
tests_unit_http_params_CPPFLAGS = $(unit_cppflags)
tests_unit_http_params_LDADD = $(unit_http_libs)

tests_unit_http_problem_SOURCES = %D%/problem.c
tests_unit_http_problem_CPPFLAGS = $(unit_cppflags)
tests_unit_http_problem_LDADD = $(unit_http_libs)

tests_unit_http_room_SOURCES = %D%/room.c
tests_unit_http_room_CPPFLAGS = $(unit_cppflags)
tests_unit_http_room_LDADD = $(unit_http_libs)

tests_unit_http_route_SOURCES = %D%/route.c
tests_unit_http_route_CPPFLAGS = $(unit_cppflags)
tests_unit_http_route_LDADD = $(unit_http_libs)

tests_unit_http_token_SOURCES = %D%/token.c
tests_unit_http_token_CPPFLAGS = $(unit_cppflags)
tests_unit_http_token_LDADD = $(unit_http_libs)

tests_unit_http_turns_SOURCES = %D%/turns.c
tests_unit_http_turns_CPPFLAGS = $(unit_cppflags)
tests_unit_http_turns_LDADD = $(unit_http_libs)

tests_unit_http_uri_SOURCES = %D%/uri.c
tests_unit_http_uri_CPPFLAGS = $(unit_cppflags)
tests_unit_http_uri_LDADD = $(unit_http_libs)

tests_unit_http_walks_SOURCES = %D%/walks.c
tests_unit_http_walks_CPPFLAGS = $(unit_cppflags)
tests_unit_http_walks_LDADD = $(unit_http_libs)

tests_unit_http_accepted_SOURCES = %D%/accepted.c
tests_unit_http_accepted_CPPFLAGS = $(unit_cppflags)
tests_unit_http_accepted_LDADD = $(unit_http_libs)

tests_unit_http_authority_SOURCES = %D%/authority.c
tests_unit_http_authority_CPPFLAGS = $(unit_cppflags)
tests_unit_http_authority_LDADD = $(unit_http_libs)

tests_unit_http_peer_SOURCES = %D%/peer.c
tests_unit_http_peer_CPPFLAGS = $(unit_cppflags)
tests_unit_http_peer_LDADD = $(unit_http_libs)

tests_unit_http_quota_SOURCES = %D%/quota.c
tests_unit_http_quota_CPPFLAGS = $(unit_cppflags)
tests_unit_http_quota_LDADD = $(unit_http_libs)
