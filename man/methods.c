/* The protocol's methods and statistics, for their manual page. */
#include "page.h"

#include <stdio.h>
#include <string.h>

#include "control/fields.h"
#include "control/methods.h"
#include "control/states.h"

static struct manual_names methods;

/* Those that may be left out come last. */
static void put_parameters(const struct method_arg *args)
{
	bool optional = false;

	for (unsigned i = 0; i < METHOD_ARGS_MAX && args[i].name; i++) {
		printf("%s%s %s", i ? " ," : " Brq", args[i].required || optional ? "" : " Bq",
		       args[i].name);
		optional = optional || !args[i].required;
	}
}

static void put_method(const struct method *method)
{
	char states[GUEST_STATES_TEXT];

	printf(".It Ic %s", method->name);
	put_parameters(method->args);
	putchar('\n');
	manual_help(method->help);
	if (method->order) {
		guest_states_text(method->states, states);
		printf("The guest must be %s.\n", states);
	}
}

static const struct method *find_method(const char *name)
{
	const struct method *method = method_find(name);

	if (!method)
		manual_fail("there is no method", name);
	return method;
}

void note_method(const char *name)
{
	manual_note(&methods, find_method(name)->name);
}

void take_method(const char *name)
{
	put_method(find_method(name));
}

void take_methods(const char *prefix)
{
	for (unsigned i = 0; i < METHOD_COUNT; i++)
		if (strncmp(method_table[i].name, prefix, strlen(prefix)) == 0 &&
		    !manual_has(&methods, method_table[i].name)) {
			manual_note(&methods, method_table[i].name);
			put_method(&method_table[i]);
		}
}

void check_methods(void)
{
	for (unsigned i = 0; methods.count && i < METHOD_COUNT; i++)
		if (!manual_has(&methods, method_table[i].name))
			manual_fail("lacks the method", method_table[i].name);
}

void take_fields(const char *nothing)
{
	char name[STATS_NAME_SIZE];

	(void)nothing;
	for (unsigned field = 0; field <= STATS_VCPU; field++) {
		stats_field_name(field, name);
		printf(".It %s\n", name);
		manual_text(stats_field_help(field));
	}
}

void take_host_fields(const char *nothing)
{
	(void)nothing;
	for (unsigned field = 0; field < HOST_FIELDS; field++) {
		printf(".It %s\n", host_field_name(field));
		manual_text(host_field_help(field));
	}
}
