# tests: unit tests are listed by the room that they test.
TESTS = $(check_PROGRAMS) $(dist_check_SCRIPTS)
