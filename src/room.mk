# vmdeck itself.
bin_PROGRAMS += vmdeck
vmdeck_SOURCES = %D%/main.c \
	%D%/roles/attach.c %D%/roles/attach.h \
	%D%/roles/headless.c \
	%D%/roles/launch.c \
	%D%/roles/logfile.c %D%/roles/logfile.h \
	%D%/roles/roles.h \
	%D%/roles/run.c \
	%D%/roles/say.c %D%/roles/say.h \
	%D%/roles/session.c %D%/roles/session.h \
	%D%/roles/signals.c %D%/roles/signals.h
vmdeck_LDADD = $(TUI_LIBS) $(CLI_LIBS) $(CORE_LIBS) $(DEMO_LIBS)
