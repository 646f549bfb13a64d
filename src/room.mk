# vmdeck itself.
bin_PROGRAMS += vmdeck
vmdeck_SOURCES = %D%/main.c %D%/roles.h %D%/run.c
vmdeck_LDADD = $(CORE_LIBS) $(DEMO_LIBS)
