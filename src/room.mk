# vmdeck itself.
bin_PROGRAMS += vmdeck
vmdeck_SOURCES = %D%/main.c
vmdeck_LDADD = $(BASE_LIBS)
