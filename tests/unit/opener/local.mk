# SPDX-License-Identifier: GPL-2.0-or-later
# The opener, against what the kernel says to processes of other users.
unit_opener_libs = daemon/libopener.a $(unit_libs)
unit_programs += \
	tests/unit/opener/grant \
	tests/unit/opener/identity \
	tests/unit/opener/list \
	tests/unit/opener/open \
	tests/unit/opener/open_many \
	tests/unit/opener/path \
	tests/unit/opener/pid_name \
	tests/unit/opener/peer \
	tests/unit/opener/reconnect \
	tests/unit/opener/same_mm \
	tests/unit/opener/serve \
	tests/unit/opener/session \
	tests/unit/opener/stuck \
	tests/unit/opener/thread_state \
	tests/unit/opener/workdir

tests_unit_opener_grant_SOURCES = %D%/grant.c
tests_unit_opener_grant_CPPFLAGS = $(unit_cppflags)
tests_unit_opener_grant_LDADD = $(unit_opener_libs)

tests_unit_opener_identity_SOURCES = %D%/identity.c %D%/people.c %D%/people.h
tests_unit_opener_identity_CPPFLAGS = $(unit_cppflags)
tests_unit_opener_identity_LDADD = $(unit_opener_libs)

tests_unit_opener_list_SOURCES = %D%/list.c %D%/people.c %D%/people.h
tests_unit_opener_list_CPPFLAGS = $(unit_cppflags)
tests_unit_opener_list_LDADD = $(unit_opener_libs)

tests_unit_opener_open_SOURCES = %D%/open.c %D%/people.c %D%/people.h
tests_unit_opener_open_CPPFLAGS = $(unit_cppflags)
tests_unit_opener_open_LDADD = $(unit_opener_libs)

tests_unit_opener_open_many_SOURCES = %D%/open_many.c %D%/people.c %D%/people.h
tests_unit_opener_open_many_CPPFLAGS = $(unit_cppflags)
tests_unit_opener_open_many_LDADD = $(unit_opener_libs)

tests_unit_opener_path_SOURCES = %D%/path.c %D%/people.c %D%/people.h
tests_unit_opener_path_CPPFLAGS = $(unit_cppflags)
tests_unit_opener_path_LDADD = $(unit_opener_libs)

tests_unit_opener_peer_SOURCES = %D%/peer.c %D%/people.c %D%/people.h
tests_unit_opener_peer_CPPFLAGS = $(unit_cppflags)
tests_unit_opener_peer_LDADD = $(unit_opener_libs)

tests_unit_opener_reconnect_SOURCES = %D%/reconnect.c %D%/people.c %D%/people.h
tests_unit_opener_reconnect_CPPFLAGS = $(unit_cppflags)
tests_unit_opener_reconnect_LDADD = $(unit_opener_libs)

tests_unit_opener_same_mm_SOURCES = %D%/same_mm.c %D%/people.c %D%/people.h
tests_unit_opener_same_mm_CPPFLAGS = $(unit_cppflags)
tests_unit_opener_same_mm_LDADD = $(unit_opener_libs)

tests_unit_opener_serve_SOURCES = %D%/serve.c
tests_unit_opener_serve_CPPFLAGS = $(unit_cppflags)
tests_unit_opener_serve_LDADD = $(unit_opener_libs)

tests_unit_opener_session_SOURCES = %D%/session.c %D%/people.c %D%/people.h tests/lib/packet.h
tests_unit_opener_session_CPPFLAGS = $(unit_cppflags) -I$(top_srcdir)/tests
tests_unit_opener_session_LDADD = $(unit_opener_libs)

tests_unit_opener_stuck_SOURCES = %D%/stuck.c %D%/people.c %D%/people.h
tests_unit_opener_stuck_CPPFLAGS = $(unit_cppflags)
tests_unit_opener_stuck_LDADD = $(unit_opener_libs)

tests_unit_opener_pid_name_SOURCES = %D%/pid_name.c
tests_unit_opener_pid_name_CPPFLAGS = $(unit_cppflags)
tests_unit_opener_pid_name_LDADD = $(unit_opener_libs)

tests_unit_opener_thread_state_SOURCES = %D%/thread_state.c
tests_unit_opener_thread_state_CPPFLAGS = $(unit_cppflags)
tests_unit_opener_thread_state_LDADD = $(unit_opener_libs)

tests_unit_opener_workdir_SOURCES = %D%/workdir.c %D%/people.c %D%/people.h
tests_unit_opener_workdir_CPPFLAGS = $(unit_cppflags)
tests_unit_opener_workdir_LDADD = $(unit_opener_libs)
