# man: pages are made of templates and of the program's own tables.
MAN_PAGES = %D%/vmdeck.1 %D%/vmdeck-guest.5 %D%/vmdeck-protocol.7 %D%/vmdeck-screen.5 \
	%D%/vmdeck-switch.5
nodist_man_MANS = $(MAN_PAGES)
CLEANFILES += $(MAN_PAGES)
MOSTLYCLEANFILES += $(MAN_PAGES:=.tmp)
EXTRA_DIST += $(MAN_PAGES:=.in)

noinst_PROGRAMS += %D%/make_page
man_make_page_SOURCES = %D%/commands.c %D%/keys.c %D%/make_page.c %D%/methods.c %D%/page.h \
	%D%/profiles.c %D%/text.c
man_make_page_LDADD = $(TUI_LIBS) $(CLI_LIBS) $(CORE_LIBS)

$(MAN_PAGES): %D%/make_page$(EXEEXT)
	$(AM_V_GEN)%D%/make_page$(EXEEXT) $(srcdir)/$@.in >$@.tmp && mv $@.tmp $@

%D%/vmdeck.1: %D%/vmdeck.1.in
%D%/vmdeck-guest.5: %D%/vmdeck-guest.5.in
%D%/vmdeck-protocol.7: %D%/vmdeck-protocol.7.in
%D%/vmdeck-screen.5: %D%/vmdeck-screen.5.in
%D%/vmdeck-switch.5: %D%/vmdeck-switch.5.in
