noinst_LIBRARIES += daemon/libsource.a
daemon_libsource_a_SOURCES = \
	%D%/facts.h \
	%D%/host.h \
	%D%/maps.h \
	%D%/procmap_query.h \
	%D%/reader.h \
	%D%/smaps.h \
	%D%/stat.h
