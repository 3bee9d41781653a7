# tests/live: a running vmad against what /proc says of the same processes. tests/lib is for every test in Python.
EXTRA_DIST += \
	tests/lib/tap.py \
	tests/lib/vmad.py
