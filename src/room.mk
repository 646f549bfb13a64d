# vmdeck itself.
bin_PROGRAMS += vmdeck
vmdeck_SOURCES = %D%/main.c \
	%D%/roles/launch.c \
	%D%/roles/roles.h \
	%D%/roles/run.c \
	%D%/roles/run_output.c %D%/roles/run_output.h
vmdeck_LDADD = $(TUI_LIBS) $(CLI_LIBS) $(CORE_LIBS) $(DEMO_LIBS)
