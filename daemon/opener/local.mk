noinst_LIBRARIES += daemon/libopener.a
daemon_libopener_a_SOURCES = \
	%D%/opener.h \
	%D%/target.c
