# The floors, from the lowest up. A floor may use those that stand above it here, never those below.
include %D%/opener/local.mk
include %D%/source/local.mk
