# vmdeck itself.
bin_PROGRAMS += vmdeck
vmdeck_SOURCES = %D%/main.c %D%/roles.h %D%/run.c %D%/run_output.c %D%/run_output.h %D%/screen.c
vmdeck_LDADD = $(TUI_LIBS) $(CLI_LIBS) $(CORE_LIBS) $(DEMO_LIBS)
