/* The table of kinds of ports. */
#include "net/port/port.h"

#include <string.h>

#define PORT_KIND_ROW(kind) &kind,

const struct port_kind *const port_kinds[] = { PORT_KINDS(PORT_KIND_ROW) NULL };

const struct port_kind *port_find_uplink(const char *name)
{
	for (const struct port_kind *const *kind = port_kinds; *kind; kind++)
		if ((*kind)->leads && !strcmp((*kind)->name, name))
			return *kind;
	return NULL;
}
