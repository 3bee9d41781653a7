# tests/unit

if HAVE_CMOCKA
include %D%/client/local.mk
endif
