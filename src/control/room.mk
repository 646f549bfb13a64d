# control: the protocol and its clients.
noinst_LIBRARIES += src/control/libcontrol.a
src_control_libcontrol_a_SOURCES = \
	%D%/client.c %D%/client.h \
	%D%/command_line.h \
	%D%/endpoint.c %D%/endpoint.h \
	%D%/fields.c %D%/fields.h \
	%D%/framing.c %D%/framing.h \
	%D%/limits.c %D%/limits.h \
	%D%/link.c \
	%D%/listen.c %D%/listen.h \
	%D%/message.c %D%/message.h \
	%D%/message_text.c %D%/message_text.h \
	%D%/methods.c %D%/methods.h \
	%D%/names.c %D%/names.h \
	%D%/protocol.h \
	%D%/profile_file.c %D%/profile_file.h \
	%D%/remote_screen.c %D%/remote_screen.h \
	%D%/spans.c %D%/spans.h \
	%D%/states.c %D%/states.h \
	%D%/typing.c %D%/typing.h

CONTROL_LIBS = src/control/libcontrol.a $(BASE_LIBS) $(JANSSON_LIBS)

if HAVE_CMOCKA
check_PROGRAMS += tests/unit/client tests/unit/framing tests/unit/listen tests/unit/spans tests/unit/profile_file
tests_unit_client_LDADD = $(CONTROL_LIBS) $(CMOCKA_LIBS)
tests_unit_framing_LDADD = $(CONTROL_LIBS) $(CMOCKA_LIBS)
tests_unit_spans_LDADD = $(CONTROL_LIBS) $(CMOCKA_LIBS)
tests_unit_profile_file_LDADD = $(CONTROL_LIBS) $(CMOCKA_LIBS)
tests_unit_listen_SOURCES = tests/unit/listen.c tests/unit/scratch.h
tests_unit_listen_LDADD = $(CONTROL_LIBS) $(CMOCKA_LIBS)
endif
